"""One leader among all processes that stand for it, and another when it is gone.

::

    with Leader(client, "scheduler") as leader:
        while not done():
            if leader.is_leader:
                schedule(fence=leader.fence)
            time.sleep(1)

* A candidate stands for election in the background. The leader is whoever holds a `Lock`, with
  its fence and its waking: a leader that steps down is followed at once by the candidate that
  has stood longest, one that dies after ``hold``.
* ``is_leader`` is True only while this process can be certain of it by its own clock, so that it
  is False before anybody else is elected, also where the server cannot be reached. A process
  that sleeps between asking and acting may still act too late: let what must never be
  done by two compare fences (`redislua.patterns.lock`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._holding_calls import LockCalls
from redislua.patterns._holding_terms import Terms, seconds_of
from redislua.patterns._leader import LeaderPlans, node_name
from redislua.patterns._plan import Background, spawn, stop
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncLeader", "Leader", "Options"]


class Options(TypedDict, total=False):
    """Keywords of `Leader` and `AsyncLeader`.

    Attributes:
        node: This candidate's name for people, up to 31 bytes; host and process number.
        hold: After how long a leader that died is followed, up to a day; 15 s.
        on_elected: Called in the background with the fence, and soon to return: nothing is
            renewed meanwhile. When it raises, the candidate steps down and stands again. For
            asyncio it may return an awaitable.
        on_deposed: Called in the background when it leads no more, for whatever reason; before
            another can lead, where it steps down by itself.
        grace: For how long the candidate whose turn it is has the lock to itself, up to 10 s;
            1 s.
        keep_fence: How far the server's clock may be set back with fences still growing; a day.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    node: str
    hold: timedelta
    on_elected: Callable[[str], Any] | None
    on_deposed: Callable[[], Any] | None
    grace: timedelta
    keep_fence: timedelta
    namespace: str
    deadline: timedelta | float


def _plans(name: str, options: Options, changed: Callable[[bool], Any]) -> LeaderPlans:
    calls = LockCalls(
        name,
        namespace=options.get("namespace", ""),
        grace=options.get("grace", timedelta(seconds=1)),
        keep_fence=options.get("keep_fence", timedelta(days=1)),
    )
    terms = Terms.of(
        "Leader",
        hold=options.get("hold", timedelta(seconds=15)),
        renew=False,
        deadline=options.get("deadline", DEFAULT_DEADLINE),
    )
    return LeaderPlans(
        calls,
        terms,
        options.get("node") or node_name(),
        on_elected=options.get("on_elected"),
        on_deposed=options.get("on_deposed"),
        changed=changed,
    )


class Leader:
    """A candidate with a blocking client. Threads may share it.

    >>> with Leader(client, "scheduler", node="one") as leader:
    ...     leader.wait(timedelta(seconds=10)), leader.is_leader, leader.current()
    (True, True, 'one')
    >>> leader.is_leader, leader.current()
    (False, None)
    """

    def __init__(self, client: BlockingClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: What is led, without braces. It is the name of a lock.
            options: See `Options`.
        """
        self._leads = threading.Event()
        self._plans = _plans(
            name, options, lambda leads: self._leads.set() if leads else self._leads.clear()
        )
        deadline = options.get("deadline", DEFAULT_DEADLINE)
        self._driver = Driver(client, deadline=deadline)
        self._campaign: Background | None = None

    @property
    def is_leader(self) -> bool:
        """Whether this candidate certainly leads at this moment, without asking."""
        return self._plans.fence is not None

    @property
    def fence(self) -> str | None:
        """The fence of this candidate's reign, None when it does not certainly lead."""
        return self._plans.fence

    def start(self) -> None:
        """Stand for election, in the background; a second time does nothing."""
        if self._campaign is None:
            self._campaign = self._driver.run(spawn(self._plans.campaign()))

    def stop(self) -> None:
        """Stand no longer; a leader steps down, and is followed at once."""
        campaign, self._campaign = self._campaign, None
        if campaign is not None:
            self._driver.run(stop(campaign))

    def wait(self, within: timedelta) -> bool:
        """Wait to be elected; False when that did not happen within the time."""
        return self._leads.wait(seconds_of("Leader", "within", within))

    def current(self) -> str | None:
        """Ask which node leads; None when none does."""
        return self._driver.run(self._plans.current())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class AsyncLeader:
    """`Leader` with an asyncio client, in one event loop: ``async with AsyncLeader(...)``."""

    def __init__(self, client: AsyncClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            name: What is led, without braces. It is the name of a lock.
            options: See `Options`.
        """
        self._leads = asyncio.Event()
        self._plans = _plans(
            name, options, lambda leads: self._leads.set() if leads else self._leads.clear()
        )
        deadline = options.get("deadline", DEFAULT_DEADLINE)
        self._driver = AsyncDriver(client, deadline=deadline)
        self._campaign: Background | None = None

    @property
    def is_leader(self) -> bool:
        """`Leader.is_leader`."""
        return self._plans.fence is not None

    @property
    def fence(self) -> str | None:
        """`Leader.fence`."""
        return self._plans.fence

    async def start(self) -> None:
        """`Leader.start`."""
        if self._campaign is None:
            self._campaign = await self._driver.run(spawn(self._plans.campaign()))

    async def stop(self) -> None:
        """`Leader.stop`."""
        campaign, self._campaign = self._campaign, None
        if campaign is not None:
            await self._driver.run(stop(campaign))

    async def wait(self, within: timedelta) -> bool:
        """`Leader.wait`."""
        try:
            async with asyncio.timeout(seconds_of("Leader", "within", within)):
                return await self._leads.wait()
        except TimeoutError:
            return False

    async def current(self) -> str | None:
        """`Leader.current`."""
        return await self._driver.run(self._plans.current())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
