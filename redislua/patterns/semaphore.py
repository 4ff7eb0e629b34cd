"""A limit to how many do something at once, among all processes that share a server.

::

    reports = Semaphore(client, "reports", limit=4)
    with reports:
        render()

* The slot of a holder that dies is free again after ``hold``: slots do not leak, as they do
  where a counter is raised and lowered. While the block runs the hold is renewed in the
  background.
* A caller that waits is woken by a release, and callers are served in the order in which they
  came. Each wait takes one connection. A caller that has waited for as long as a hold lasts
  asks again, and goes to the end of the queue.
* A block that ends well although its slot was lost on the way raises `LeaseLost`.
* A task that is cancelled while it takes a slot holds nothing, and what woke it wakes the next.

All who use a semaphore give the same limit, up to 4 000. A block on the semaphore is left in the
thread or task in which it was entered; where that cannot be, ``with reports.acquire():`` is a
block on the slot. Keep semaphores on a server that does not evict.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._holding import HoldingPlans
from redislua.patterns._holding_calls import SemaphoreCalls
from redislua.patterns._holding_terms import AcquireTimeout, LeaseLost, Terms
from redislua.patterns._leases import AsyncLease, AsyncTaking, Lease, Taking
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AcquireTimeout",
    "AsyncSemaphore",
    "AsyncSlot",
    "LeaseLost",
    "Options",
    "Semaphore",
    "Slot",
]


class Options(TypedDict, total=False):
    """Keywords of `Semaphore` and `AsyncSemaphore`.

    Attributes:
        hold: After how long the server ends what nobody renews, up to a day; 30 s.
        wait: How long a caller waits, then `AcquireTimeout`; 30 s.
        renew: Whether a hold is renewed in the background, three times in its span; True.
            Without it a hold that was too short is lost.
        on_lost: Called with the semaphore's name when a renewal finds the slot lost; for asyncio
            it may return an awaitable.
        grace: For how long the one that was woken has the slot to itself, up to 10 s; 1 s.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    hold: timedelta
    wait: timedelta
    renew: bool
    on_lost: Callable[[str], Any] | None
    grace: timedelta
    namespace: str
    deadline: timedelta | float


def _plans(name: str, limit: int, options: Options) -> HoldingPlans:
    calls = SemaphoreCalls(
        name,
        limit,
        namespace=options.get("namespace", ""),
        grace=options.get("grace", timedelta(seconds=1)),
    )
    terms = Terms.of(
        "Semaphore",
        hold=options.get("hold", timedelta(seconds=30)),
        wait=options.get("wait", timedelta(seconds=30)),
        renew=options.get("renew", True),
        on_lost=options.get("on_lost"),
        deadline=options.get("deadline", DEFAULT_DEADLINE),
    )
    return HoldingPlans(calls, terms)


class Slot(Lease):
    """A slot that is held."""


class AsyncSlot(AsyncLease):
    """`Slot` for asyncio."""


class Semaphore(Taking[Slot]):
    """A semaphore with a blocking client. Threads may share it, each as a holder of its own.

    >>> reports = Semaphore(client, "reports", limit=2, hold=timedelta(seconds=10))
    >>> with reports, reports:
    ...     reports.try_acquire()
    >>> slot = reports.acquire(within=timedelta(seconds=5))
    >>> slot.is_held
    True
    >>> slot.release()
    """

    _kind = Slot

    def __init__(
        self, client: BlockingClient, name: str, limit: int, **options: Unpack[Options]
    ) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: What is limited, without braces.
            limit: How many hold a slot at most, 1 to 4 000.
            options: See `Options`.
        """
        plans = _plans(name, limit, options)
        super().__init__(Driver(client, deadline=plans.terms.deadline), plans)


class AsyncSemaphore(AsyncTaking[AsyncSlot]):
    """`Semaphore` with an asyncio client, in one event loop: ``async with AsyncSemaphore(...)``."""

    _kind = AsyncSlot

    def __init__(
        self, client: AsyncClient, name: str, limit: int, **options: Unpack[Options]
    ) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            name: What is limited, without braces.
            limit: How many hold a slot at most, 1 to 4 000.
            options: See `Options`.
        """
        plans = _plans(name, limit, options)
        super().__init__(AsyncDriver(client, deadline=plans.terms.deadline), plans)
