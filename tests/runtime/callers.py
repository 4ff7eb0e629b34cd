"""One test body for both drivers: a caller runs calls with ``run`` or with ``arun``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import ModuleType
from typing import Any, TypeVar

import redis
import redis.asyncio

from redislua.runtime import Call, aio, arun, arun_many, awarm, blocking, run, run_many, warm
from redislua.runtime.plan import ends, single
from redislua.runtime.pools import async_pools, pools
from redislua.runtime.steps import Plan

T = TypeVar("T")


class Caller:
    """Opens clients of one kind and runs calls on them.

    Attributes:
        is_async: Which kind.
    """

    def __init__(self, *, is_async: bool, runner: asyncio.Runner) -> None:
        self.is_async = is_async
        self._runner = runner
        self._opened: list[Any] = []

    def open(self, url: str, *, library: ModuleType = redis, **options: Any) -> Any:
        """A client with the defaults of ``Redis(...)``: redis-py's ten retries included."""
        package: Any = library.asyncio if self.is_async else library
        kind = package.Valkey if library.__name__ == "valkey" else package.Redis
        pool = kind.from_url(url).connection_pool.connection_kwargs
        address = {name: pool[name] for name in ("host", "port") if name in pool}
        if "path" in pool:
            address["unix_socket_path"] = pool["path"]
        return self.keep(kind(**address, **options))

    def keep(self, client: Any) -> Any:
        """Close a client at the end."""
        self._opened.append(client)
        return client

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop that the asyncio clients live in."""
        return self._runner.run(coroutine)

    def open_like(self, client: Any, **options: Any) -> Any:
        """A client of this caller's kind for the server of another client."""
        pool = client.connection_pool.connection_kwargs
        path = pool.get("path")
        url = f"unix://{path}" if path else f"redis://{pool['host']}:{pool['port']}/0"
        return self.open(url, **options)

    def run_many(self, client: Any, *calls: Call[Any], **options: Any) -> tuple[Any, ...]:
        """Run a batch."""
        if self.is_async:
            done: tuple[Any, ...] = self.wait(arun_many(client, *calls, **options))
            return done
        return run_many(client, *calls, **options)

    def run(self, client: Any, call: Call[T], **options: Any) -> T:
        """Run one call."""
        if self.is_async:
            return self._runner.run(arun(client, call, **options))
        return run(client, call, **options)

    def once(self, client: Any, call: Call[T]) -> T:
        """Run one call and raise the first refusal, however long the server takes for it."""
        plan = single(call, until=0.0)
        until = ends("once", 30)
        if self.is_async:
            return self._runner.run(self._drive(client, plan, until))
        return blocking.drive(pools.of(client), plan, until)

    async def _drive(self, client: Any, plan: Plan[T], until: float) -> T:
        return await aio.drive(async_pools.of(client), plan, until)

    def warm(self, client: Any, *modules: Any, **options: Any) -> list[str]:
        """Load the scripts of modules."""
        if self.is_async:
            return self._runner.run(awarm(client, *modules, **options))
        return warm(client, *modules, **options)

    def close(self) -> None:
        """Close the clients."""
        for client in self._opened:
            if self.is_async:
                self._runner.run(client.aclose())
            else:
                client.close()
