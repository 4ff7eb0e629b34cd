"""Jobs that are done later, each at least once, by as many workers as there are.

::

    mail = DelayedQueue(client, "mail", lease=timedelta(minutes=1))
    mail.schedule({"to": "ada"}, id="welcome:42", delay=timedelta(hours=1))

    def send(job):
        gateway.send(job.value["to"])

    worker = mail.worker(send, concurrency=8)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()

* A job is claimed under a lease, which is renewed beside its work. When its worker dies, the
  next one gets the job once the lease is over: work must bear being done twice.
* A handler that raises has its job tried again after ``backoff``; what came back after
  ``max_attempts`` claims, for whatever reason, is given up, and kept for somebody to look at.
* An idle worker sleeps until the next job is due. It is woken by a job that comes before.
* ``stop`` lets the jobs that have begun end, and claims no more.
* A job's ``id`` is its own within the queue: a second one is left out, or replaces the first.

A queue lives on one server of a cluster: spread one that is too busy over several names. Its
jobs never expire: keep them on a server that does not evict, and that persists.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._async_ears import TaskEar
from redislua.patterns._blocking import Driver
from redislua.patterns._delayed_queue import (
    Backoff,
    Counts,
    DeadJob,
    Placed,
    QueuePlans,
    Status,
    Terms,
    exponential,
)
from redislua.patterns._ears import ThreadEar
from redislua.patterns._worker import GiveUp, Job, Retry, WorkerPlans
from redislua.patterns.codecs import JSON, Codec
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AsyncDelayedQueue",
    "AsyncWorker",
    "Backoff",
    "Counts",
    "DeadJob",
    "DelayedQueue",
    "GiveUp",
    "Job",
    "Options",
    "Placed",
    "Retry",
    "Worker",
    "exponential",
]

T = TypeVar("T")


class Options(TypedDict, total=False):
    """Keywords of `DelayedQueue` and `AsyncDelayedQueue`.

    Attributes:
        lease: How long a worker may be silent before its jobs go to another; 30 s, from
            100 ms to a day. It is renewed three times as often while the work goes on.
        max_attempts: Claims after which a job is given up; 25.
        keep_dead: How many of those given up are kept, the last ones; 1000, up to 10 000.
        backoff: How long a job waits after an attempt that failed: a function of the
            attempt's number; `exponential`, from 1 s to 1 h.
        codec: How values become bytes; JSON. Up to 64 KiB each.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    lease: timedelta
    max_attempts: int
    keep_dead: int
    backoff: Backoff
    codec: Codec[Any]
    namespace: str
    deadline: timedelta | float


def _plans(name: str, options: Options) -> QueuePlans[Any]:
    terms = Terms.of(
        lease=options.get("lease", timedelta(seconds=30)),
        max_attempts=options.get("max_attempts", 25),
        keep_dead=options.get("keep_dead", 1_000),
        backoff=options.get("backoff") or exponential(),
    )
    return QueuePlans(name, terms, options.get("codec", JSON), options.get("namespace", ""))


class DelayedQueue(Generic[T]):
    """A queue with a blocking client. Threads may share it.

    >>> mail = DelayedQueue(client, "mail", namespace="shop")
    >>> mail.schedule({"to": "ada"}, id="welcome:42").outcome
    'scheduled'
    >>> mail.schedule({"to": "ada"}, id="welcome:42").outcome
    'exists'
    >>> mail.schedule({"to": "bob"}, id="later:7", delay=timedelta(hours=1)).outcome
    'scheduled'
    >>> worker = mail.worker(lambda job: print(job.id, job.attempt, job.value))
    >>> worker.run(until_empty=True)
    welcome:42 1 {'to': 'ada'}
    >>> mail.counts().due
    1
    >>> mail.remove("later:7")
    'due'
    """

    def __init__(self, client: BlockingClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: The queue's name, without braces.
            options: See `Options`.
        """
        self._plans: QueuePlans[T] = _plans(name, options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def schedule(
        self,
        value: T,
        *,
        id: str | None = None,  # noqa: A002  # what it is called everywhere
        delay: timedelta | None = None,
        run_at: datetime | None = None,
        replace: bool = False,
    ) -> Placed:
        """Put a job into the queue.

        Args:
            value: What it carries.
            id: Its name, up to 64 bytes; one of its own if not given.
            delay: When it is due, from now; at once if neither is given.
            run_at: When it is due, with a time zone, by the server's clock.
            replace: Put it in the place of one of the same name, which begins anew and is
                lost to whoever works on it; else that one is left alone.

        Raises:
            OutOfMemory: The server is full.
            CallError: The server could not be asked.
        """
        return self._driver.run(self._plans.schedule(value, id, delay, run_at, replace=replace))

    def remove(self, id: str) -> Status | None:  # noqa: A002
        """Remove a job: where it was (``due``, ``in_flight`` or ``dead``), or None.

        Whoever works on it is not told before it ends the work.
        """
        return self._driver.run(self._plans.remove(id))

    def counts(self) -> Counts:
        """Count the jobs that wait, that are claimed and that were given up."""
        return self._driver.run(self._plans.counts())

    def dead(self, start: int = 0, count: int = 100) -> list[DeadJob[T]]:
        """List jobs that were given up, the last one first.

        Args:
            start: How many to pass over.
            count: How many to list at most.
        """
        return self._driver.run(self._plans.dead(start, count))

    def revive(self, job: DeadJob[T], *, delay: timedelta | None = None) -> Placed:
        """Put a job that was given up into the queue again, with no attempt counted."""
        return self._driver.run(self._plans.revive(job, delay))

    def worker(self, handler: Callable[[Job[T]], object], *, concurrency: int = 1) -> Worker[T]:
        """Make a worker; it does nothing before its `Worker.run`.

        Args:
            handler: Does a job. What it raises has the job tried again; `Retry` says when,
                and `GiveUp` that it is not to be.
            concurrency: How many jobs it does at once, each in a thread of its own; 1 to 1000.
        """
        bell = ThreadEar(b"")
        return Worker(self._driver, WorkerPlans(self._plans, handler, concurrency, bell))


class Worker(Generic[T]):
    """Does the jobs of a `DelayedQueue`, which makes it."""

    def __init__(self, driver: Driver, plans: WorkerPlans[T]) -> None:
        self._driver = driver
        self._plans = plans
        self._runs_in: int | None = None

    def run(self, *, until_empty: bool = False) -> None:
        """Do jobs until `stop`, and return when those that have begun have ended.

        An interruption (Ctrl-C) lets them end, too, and then goes on.

        Args:
            until_empty: End as soon as nothing is due and nothing is being done.

        Raises:
            CallError: The server refuses; with ``until_empty`` also when it cannot be asked,
                which is otherwise waited for.
        """
        self._runs_in = threading.get_ident()
        self._driver.run(self._plans.run(until_empty=until_empty))

    def stop(self) -> None:
        """Claim no more, and have `run` return. For other threads, and for signal handlers."""
        self._plans.stop()
        if self._runs_in != threading.get_ident():
            # A signal handler runs in the middle of whatever its thread was doing, with the
            # bell's own lock perhaps: there `run` finds out by itself, half a second later.
            self._plans.ring()


class AsyncDelayedQueue(Generic[T]):
    """`DelayedQueue` with an asyncio client, in one event loop."""

    def __init__(self, client: AsyncClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet: see `DelayedQueue`."""
        self._plans: QueuePlans[T] = _plans(name, options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def schedule(
        self,
        value: T,
        *,
        id: str | None = None,  # noqa: A002
        delay: timedelta | None = None,
        run_at: datetime | None = None,
        replace: bool = False,
    ) -> Placed:
        """`DelayedQueue.schedule`."""
        plan = self._plans.schedule(value, id, delay, run_at, replace=replace)
        return await self._driver.run(plan)

    async def remove(self, id: str) -> Status | None:  # noqa: A002
        """`DelayedQueue.remove`."""
        return await self._driver.run(self._plans.remove(id))

    async def counts(self) -> Counts:
        """`DelayedQueue.counts`."""
        return await self._driver.run(self._plans.counts())

    async def dead(self, start: int = 0, count: int = 100) -> list[DeadJob[T]]:
        """`DelayedQueue.dead`."""
        return await self._driver.run(self._plans.dead(start, count))

    async def revive(self, job: DeadJob[T], *, delay: timedelta | None = None) -> Placed:
        """`DelayedQueue.revive`."""
        return await self._driver.run(self._plans.revive(job, delay))

    def worker(
        self, handler: Callable[[Job[T]], Awaitable[object] | object], *, concurrency: int = 1
    ) -> AsyncWorker[T]:
        """`DelayedQueue.worker`; the handler may return an awaitable, each in a task."""
        bell = TaskEar(b"")
        return AsyncWorker(self._driver, WorkerPlans(self._plans, handler, concurrency, bell))


class AsyncWorker(Generic[T]):
    """`Worker` for asyncio, made by an `AsyncDelayedQueue`."""

    def __init__(self, driver: AsyncDriver, plans: WorkerPlans[T]) -> None:
        self._driver = driver
        self._plans = plans

    async def run(self, *, until_empty: bool = False) -> None:
        """`Worker.run`. When it is cancelled, so are the jobs, which go to the next worker."""
        await self._driver.run(self._plans.run(until_empty=until_empty))

    def stop(self) -> None:
        """Claim no more, and have `run` return. For ``loop.add_signal_handler``."""
        self._plans.stop()
        self._plans.ring()
