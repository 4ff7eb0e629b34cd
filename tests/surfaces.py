"""The ways of calling a script from Python, which all must give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import product
from typing import Any, NamedTuple, TypeVar

import redis
import redis.asyncio

from redislua.runtime import Call, arun, arun_many, run, run_many

T = TypeVar("T")


class Way(NamedTuple):
    """One combination of what a caller may choose."""

    is_async: bool
    protocol: int
    decoded: bool

    def __str__(self) -> str:
        return "-".join(
            (
                "asyncio" if self.is_async else "blocking",
                f"resp{self.protocol}",
                "decoded" if self.decoded else "bytes",
            )
        )


WAYS = tuple(Way(*choice) for choice in product((False, True), (2, 3), (False, True)))


class Surface:
    """A client of one way, and how to call a script on it.

    Attributes:
        way: What was chosen.
        client: The `redis.Redis` or `redis.asyncio.Redis`; asyncio ones live in the
            session's one event loop, which `wait` runs.
    """

    def __init__(self, way: Way, url: str, runner: asyncio.Runner) -> None:
        make = redis.asyncio.Redis.from_url if way.is_async else redis.Redis.from_url
        self.way = way
        self.client: Any = make(url, protocol=way.protocol, decode_responses=way.decoded)
        self._runner = runner

    def call(self, call: Call[T], **options: Any) -> T:
        """Run a call and return its reply; options go to `redislua.runtime.run`."""
        if self.way.is_async:
            return self.wait(arun(self.client, call, **options))
        return run(self.client, call, **options)

    def call_many(self, *calls: Call[Any], **options: Any) -> tuple[Any, ...]:
        """Run a batch and return its replies; options go to `redislua.runtime.run_many`."""
        if self.way.is_async:
            done: tuple[Any, ...] = self.wait(arun_many(self.client, *calls, **options))
            return done
        return run_many(self.client, *calls, **options)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop that the asyncio client lives in."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """Close the client."""
        if self.way.is_async:
            self.wait(self.client.aclose())
        else:
            self.client.close()
