"""Many callers of one client at the same moment, and what became of each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import redis

from redislua.runtime import Call, arun, run, run_many
from redislua.runtime.connections import Pool
from redislua.runtime.pools import pools
from tests.runtime.callers import Caller
from tests.runtime.coalescing.gate import Gate
from tests.runtime.samples import call

DEADLINE = 30.0
"""Seconds that a call may take where the test is not about that: never reached."""


def echo(number: int, size: int = 0, **options: Any) -> Call[bytes]:
    """A call whose reply is its own number, sent along with ``size`` bytes of ballast."""
    return call("return ARGV[1]", b"%d" % number, bytes(size), **options)


def at_once(
    caller: Caller, client: Any, calls: Sequence[Call[Any]], *, deadline: float = DEADLINE
) -> list[Any]:
    """Run each call in a task or thread of its own; return each one's reply or exception."""
    if caller.is_async:
        return caller.wait(_tasks(client, calls, deadline))
    return _threads(client, calls, deadline)


async def _tasks(client: Any, calls: Sequence[Call[Any]], deadline: float) -> list[Any]:
    waits = [arun(client, call, deadline=deadline) for call in calls]
    return await asyncio.gather(*waits, return_exceptions=True)


def _threads(client: Any, calls: Sequence[Call[Any]], deadline: float) -> list[Any]:
    outcomes: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def one(index: int) -> None:
        start.wait()
        try:
            outcomes[index] = run(client, calls[index], deadline=deadline)
        except BaseException as error:
            outcomes[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def connections(admin: redis.Redis) -> int:
    """How many connections the server has, beside the one that asks."""
    return len(admin.client_list()) - 1


def eventually(holds: Callable[[], bool], *, within: float = 10.0) -> bool:
    """Whether something becomes true; the seconds bound a failing test alone."""
    until = time.monotonic() + within
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class Sharing:
    """A blocking client with a call on its one own connection: what else it calls is shared.

    Attributes:
        client: It may have one connection more, which is not open yet.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._threads = ThreadPoolExecutor(100)
        self.client = redis.Redis(host="127.0.0.1", port=gate.port, max_connections=2)

    def __enter__(self) -> Self:
        run_many(self.client, echo(0))  # from now on a batch brings no script along
        self._gate.shut()
        self.begin(echo(0))
        return self

    def __exit__(self, *exc: object) -> None:
        self._gate.open()
        self._threads.shutdown()
        self.client.close()

    @property
    def pool(self) -> Pool:
        """The client's connections."""
        pool = pools.of(self.client)
        assert isinstance(pool, Pool)
        return pool

    def begin(self, *calls: Call[Any], deadline: float = DEADLINE) -> Future[tuple[Any, ...]]:
        """Run calls in a thread of their own; returns once the server has them."""
        arrived = self._gate.arrived + len(calls)
        outcomes = self.queue(*calls, deadline=deadline)
        assert eventually(lambda: self._gate.arrived >= arrived)
        return outcomes

    def queue(self, *calls: Call[Any], deadline: float = DEADLINE) -> Future[tuple[Any, ...]]:
        """Run calls in a thread of their own."""
        return self._threads.submit(
            lambda: run_many(self.client, *calls, deadline=deadline, return_exceptions=True)
        )

    def waiting(self) -> int:
        """How many writes wait for the shared connection."""
        return self.pool._coalescer.queue.qsize()
