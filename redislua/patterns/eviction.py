"""Watch what servers evict, hit and use: `EvictionMonitor`, and for asyncio `AsyncEvictionMonitor`.

::

    with EvictionMonitor(client, on_alarm=lambda alarm: page(alarm.node, alarm.text)):
        serve()

One INFO of each server a look: one reading, not several that do not fit together. Rates are
of the time between two looks. A server that nobody asked has no hit rate and gives no alarm,
neither do a few look-ups; a restart or a CONFIG RESETSTAT begins anew. Of a cluster every node
is looked at, replicas too, as the cluster stands at the time.

Look-ups of scripts are in the hit rate: a limiter or a lock that has no state yet is a miss.
A cache that shares its server with them has a lower rate than its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from redislua.patterns import _plan
from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._eviction import Watching, asked, name_of
from redislua.runtime import AsyncClient, BlockingClient, aio, blocking
from redislua.runtime.pools import async_pools, pools
from redislua.runtime.watching.alarms import Alarm, AlarmKind, Look, Thresholds
from redislua.runtime.watching.vitals import Reading, Window

__all__ = [
    "Alarm",
    "AlarmKind",
    "AsyncEvictionMonitor",
    "EvictionMonitor",
    "Look",
    "Reading",
    "Thresholds",
    "Window",
]

EVERY = timedelta(seconds=10)
PATIENCE_S = 2.0
"""Seconds that all servers together may take to answer."""


class EvictionMonitor:
    """Looks at the servers of a client again and again, and tells what is wrong with them.

    >>> monitor = EvictionMonitor(client, thresholds=Thresholds(hit_rate=0.9))
    >>> looks = monitor.look()
    >>> [look.alarms for look in looks]
    [()]
    >>> with monitor:  # looks every ten seconds, in a thread of its own
    ...     pass

    It never dies: a server that does not answer is an alarm and is asked again, and what a
    function of yours raises is logged. Starting it twice is starting it once.

    Args:
        client: A blocking client of redis-py or valkey-py: of one server, of what Sentinels
            watch, or of a cluster. Its connections are not used, and its retries not made.
        every: Time between two looks, which is the length of a window.
        thresholds: What is a reason for alarm.
        on_alarm: Called with each alarm of each look, for as long as it lasts. By default
            alarms are logged as warnings of the logger ``redislua.eviction``.
        on_look: Called with each look at each server, for figures: see
            `redislua.runtime.watching.prometheus.ServerGauges`.

    Raises:
        UnsupportedClient: The client is an asyncio client, a pipeline or no client.
        InvalidArgument: ``every`` is no positive timedelta, or a function is none.
    """

    def __init__(
        self,
        client: BlockingClient,
        *,
        every: timedelta = EVERY,
        thresholds: Thresholds | None = None,
        on_alarm: Callable[[Alarm], Any] | None = None,
        on_look: Callable[[Look], Any] | None = None,
    ) -> None:
        pool = pools.of(client)
        name = "cluster" if pool.topology is not None else name_of(client)

        def ask() -> Any:
            until = time.monotonic() + PATIENCE_S
            return blocking.drive(pool, asked(pool.topology, name, until), until)

        self._driver = Driver(client)
        self._watching = Watching(ask, every, thresholds or Thresholds(), on_alarm, on_look)
        self._lock = threading.Lock()
        self._background: _plan.Background | None = None
        self._owner = 0

    def look(self) -> tuple[Look, ...]:
        """Look at every server now; the next look's window begins here."""
        return self._driver.run(self._watching.look())

    def start(self) -> None:
        """Look again and again, in a daemon thread, until `stop`.

        A child process that was forked has no such thread, and may start one of its own.
        """
        with self._lock:
            if self._background is None or self._owner != os.getpid():
                self._owner = os.getpid()
                self._background = self._driver.run(_plan.spawn(self._watching.watch()))

    def stop(self) -> None:
        """Stop looking, and wait until the look that is under way has ended."""
        with self._lock:
            background, self._background = self._background, None
        if background is not None:
            self._driver.run(_plan.stop(background))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class AsyncEvictionMonitor:
    """`EvictionMonitor` for asyncio clients: in a task of the event loop that starts it.

    Its functions may be coroutine functions.
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        every: timedelta = EVERY,
        thresholds: Thresholds | None = None,
        on_alarm: Callable[[Alarm], Any] | None = None,
        on_look: Callable[[Look], Any] | None = None,
    ) -> None:
        async def ask() -> Any:
            pool = async_pools.of(client)
            until = time.monotonic() + PATIENCE_S
            name = "cluster" if pool.topology is not None else name_of(client)
            return await aio.drive(pool, asked(pool.topology, name, until), until)

        self._driver = AsyncDriver(client)
        self._watching = Watching(ask, every, thresholds or Thresholds(), on_alarm, on_look)
        self._background: _plan.Background | None = None

    async def look(self) -> tuple[Look, ...]:
        """Look at every server now; the next look's window begins here."""
        return await self._driver.run(self._watching.look())

    async def start(self) -> None:
        """Look again and again, in a task, until `stop`."""
        if self._background is None:
            self._background = await self._driver.run(_plan.spawn(self._watching.watch()))

    async def stop(self) -> None:
        """Stop looking."""
        background, self._background = self._background, None
        if background is not None:
            await self._driver.run(_plan.stop(background))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
