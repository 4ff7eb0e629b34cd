"""One test body for both kinds of a pattern: the blocking class and the asyncio class."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._plan import Plan, sleep
from tests.surfaces import Surface

Thunk = Callable[[], Any]


def blocked(client: Any) -> int:
    """How many wait for a list, on all servers."""
    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    return sum(int(node.info("clients")["blocked_clients"]) for node in nodes)


def until_blocked(client: Any, count: int) -> Plan[None]:
    """Come back when so many wait."""
    for _ in range(6_000):
        if blocked(client) == count:
            return
        yield from sleep(0.005)
    raise AssertionError(f"{blocked(client)} wait, not {count}")


class Stage:
    """Where patterns are made and their methods called, whatever their kind.

    Attributes:
        client: The client of the surface.
        is_async: Whether it is an asyncio client.
    """

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.client = surface.client
        self.is_async = surface.way.is_async

    def make(self, blocking: Any, asynchronous: Any, *args: Any, **options: Any) -> Any:
        """A pattern of the surface's kind on the surface's client."""
        kind = asynchronous if self.is_async else blocking
        return kind(self.client, *args, **options)

    def call(self, thunk: Thunk) -> Any:
        """Call something, and await what it returns if it must be.

        ``stage.call(lambda: lock.acquire())``
        """
        return self.surface.wait(_awaited(thunk)) if self.is_async else thunk()

    def in_turn(self, *thunks: Thunk) -> Thunk:
        """A function that calls several things one after the other, and gives the last result."""

        def blocking() -> Any:
            return [thunk() for thunk in thunks][-1]

        async def asynchronous() -> Any:
            return [await _awaited(thunk) for thunk in thunks][-1]

        return asynchronous if self.is_async else blocking

    def within(self, held: Any, *thunks: Callable[[Any], Any]) -> Thunk:
        """The same in a ``with`` block, or ``async with``; each is given what was entered."""

        def blocking() -> Any:
            with held as entered:
                return [thunk(entered) for thunk in thunks][-1]

        async def asynchronous() -> Any:
            async with held as entered:
                return [await _awaited(partial(thunk, entered)) for thunk in thunks][-1]

        return asynchronous if self.is_async else blocking

    def together(self, *thunks: Thunk) -> list[Any]:
        """Call several things at once, in threads or tasks; what they raise is their result."""
        if self.is_async:
            return self.surface.wait(_gathered(thunks))
        with ThreadPoolExecutor(len(thunks)) as threads:
            futures = [threads.submit(thunk) for thunk in thunks]
        return [future.exception() or future.result() for future in futures]

    def pause(self, seconds: float) -> Any:
        """Wait; for asyncio, a coroutine that does."""
        return self.driver().run(sleep(seconds))

    def queued(self, client: Any, count: int) -> Any:
        """Wait until so many wait for a list; for asyncio, a coroutine that does."""
        return self.driver().run(until_blocked(client, count))

    def driver(self) -> Any:
        """A driver of plans."""
        return self.make(Driver, AsyncDriver)

    def run(self, plan: Plan[Any], driver: Any = None) -> Any:
        """Run a plan."""
        driver = driver or self.driver()
        return self.call(lambda: driver.run(plan))


async def _awaited(thunk: Thunk) -> Any:
    result = thunk()
    return await result if inspect.isawaitable(result) else result


async def _gathered(thunks: tuple[Thunk, ...]) -> list[Any]:
    return await asyncio.gather(*(_awaited(one) for one in thunks), return_exceptions=True)
