"""A lock for one holder at a time, among all processes that share a server.

::

    with Lock(client, "invoices:2026-11") as lease:
        for invoice in invoices:
            lease.check()  # still ours?
            store(invoice, fence=lease.fence)

* The server ends a hold that nobody renews, so a holder that dies blocks nobody for longer than
  ``hold``. While the block runs the hold is renewed in the background.
* A caller that waits is woken by the holder's release, and callers are served in the order in
  which they came: nobody who comes later gets between. Each wait takes one connection. A caller
  that has waited for as long as a hold lasts asks again, and goes to the end of the queue.
* Each acquisition has a fence, a number that is greater than all before. A process may sleep
  through the end of its hold and not know, and a server that fails over may forget a lock: what
  must never be done by two keeps the greatest fence that it has seen and refuses a smaller one,
  as `cache.conditional_update` does in mode ``fence``.
* A block that ends well although its lock was lost on the way raises `LeaseLost`.
* A task that is cancelled while it takes a lock holds nothing, and what woke it wakes the next.

A lock is not reentrant: a holder that takes it again waits for itself. A block on the lock is
left in the thread or task in which it was entered; where that cannot be, ``with lock.acquire():``
is a block on the lease. Keep locks on a server that does not evict.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from redislua.bindings.lock import InspectFree, InspectHeld, InspectReply
from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._holding import HoldingPlans
from redislua.patterns._holding_calls import LockCalls
from redislua.patterns._holding_terms import AcquireTimeout, LeaseLost, Terms
from redislua.patterns._leases import AsyncLease, AsyncTaking, Lease, Taking
from redislua.patterns._plan import ask
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AcquireTimeout",
    "AsyncLock",
    "AsyncLockLease",
    "InspectFree",
    "InspectHeld",
    "InspectReply",
    "LeaseLost",
    "Lock",
    "LockLease",
    "Options",
]


class Options(TypedDict, total=False):
    """Keywords of `Lock` and `AsyncLock`.

    Attributes:
        hold: After how long the server ends what nobody renews, up to a day; 30 s.
        wait: How long a caller waits, then `AcquireTimeout`; 30 s.
        renew: Whether a hold is renewed in the background, three times in its span; True.
            Without it a hold that was too short is lost.
        on_lost: Called with the lock's name when a renewal finds the lock lost; for asyncio it
            may return an awaitable.
        grace: For how long the one that was woken has the lock to itself, up to 10 s; 1 s.
        keep_fence: How far the server's clock may be set back with fences still growing;
            an hour. The last fence of each name takes some 90 bytes for so long.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    hold: timedelta
    wait: timedelta
    renew: bool
    on_lost: Callable[[str], Any] | None
    grace: timedelta
    keep_fence: timedelta
    namespace: str
    deadline: timedelta | float


def _plans(name: str, options: Options) -> tuple[LockCalls, HoldingPlans]:
    calls = LockCalls(
        name,
        namespace=options.get("namespace", ""),
        grace=options.get("grace", timedelta(seconds=1)),
        keep_fence=options.get("keep_fence", timedelta(hours=1)),
    )
    terms = Terms.of(
        "Lock",
        hold=options.get("hold", timedelta(seconds=30)),
        wait=options.get("wait", timedelta(seconds=30)),
        renew=options.get("renew", True),
        on_lost=options.get("on_lost"),
        deadline=options.get("deadline", DEFAULT_DEADLINE),
    )
    return calls, HoldingPlans(calls, terms)


class LockLease(Lease):
    """A lock that is held."""

    @property
    def fence(self) -> str:
        """A decimal, greater than that of every acquisition before this one."""
        return self._holding.fence


class AsyncLockLease(AsyncLease):
    """`LockLease` for asyncio."""

    @property
    def fence(self) -> str:
        """A decimal, greater than that of every acquisition before this one."""
        return self._holding.fence


class Lock(Taking[LockLease]):
    """A lock with a blocking client. Threads may share it, each as a holder of its own.

    >>> lock = Lock(client, "invoices:2026-11", hold=timedelta(seconds=10))
    >>> with lock as lease:
    ...     lease.is_held, lease.fence.isdecimal(), lock.try_acquire()
    (True, True, None)
    >>> lock.inspect() == InspectFree(lease.fence)
    True
    >>> lease = lock.acquire(within=timedelta(seconds=5))
    >>> lease.extend(timedelta(minutes=1))
    >>> lease.release()
    """

    _kind = LockLease

    def __init__(self, client: BlockingClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: What is locked, without braces.
            options: See `Options`.
        """
        self._calls, plans = _plans(name, options)
        super().__init__(Driver(client, deadline=plans.terms.deadline), plans)

    def inspect(self) -> InspectReply:
        """Look who holds it: `InspectHeld` or `InspectFree`, and perhaps no longer true."""
        return self._driver.run(ask(self._calls.inspect()))


class AsyncLock(AsyncTaking[AsyncLockLease]):
    """`Lock` with an asyncio client, in one event loop: ``async with AsyncLock(...) as lease``."""

    _kind = AsyncLockLease

    def __init__(self, client: AsyncClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            name: What is locked, without braces.
            options: See `Options`.
        """
        self._calls, plans = _plans(name, options)
        super().__init__(AsyncDriver(client, deadline=plans.terms.deadline), plans)

    async def inspect(self) -> InspectReply:
        """`Lock.inspect`."""
        return await self._driver.run(ask(self._calls.inspect()))
