"""What `DelayedQueue` and `AsyncDelayedQueue` do, as plans: everything but the work itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from redislua.bindings import queue as scripts
from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._plan import Plan, ask
from redislua.patterns._spans import milliseconds
from redislua.patterns.codecs import Codec
from redislua.runtime import encode, new_owner

__all__ = ["Backoff", "Counts", "DeadJob", "Placed", "QueuePlans", "Status", "Terms", "exponential"]

T = TypeVar("T")

Backoff: TypeAlias = Callable[[int], timedelta]
"""How long a job waits after an attempt that failed; takes the attempt's number, from 1 on."""

Counts = scripts.InspectCounts
Status: TypeAlias = Literal["due", "in_flight", "dead"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LONGEST_LEASE = timedelta(days=1)
LONGEST_DELAY = timedelta(days=366)


def exponential(
    first: timedelta = timedelta(seconds=1),
    most: timedelta = timedelta(hours=1),
    jitter: float = 0.2,
) -> Backoff:
    """Wait twice as long after each attempt.

    Args:
        first: After the first attempt.
        most: Never longer.
        jitter: Share by which waits are shortened at random, 0 to 1, so that what failed
            together is not tried again together.
    """
    longest = min(most, LONGEST_DELAY).total_seconds()
    if not timedelta(0) <= first:
        raise InvalidArgumentValue("exponential", "first", first, "0 or more")
    if not 0 <= jitter <= 1:
        raise InvalidArgumentValue("exponential", "jitter", jitter, "0 to 1")

    def after(attempt: int) -> timedelta:
        seconds = min(first.total_seconds() * 2.0 ** min(attempt - 1, 64), longest)
        return timedelta(seconds=seconds * (1 - jitter * random.random()))  # noqa: S311

    return after


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a job went.

    Attributes:
        id: Its name.
        outcome: ``scheduled``, ``rescheduled`` in place of another one, or ``exists``: there
            was one of this name, and it was left alone.
        run_at: When the job of this name is due, by the server's clock; None while it is
            claimed or dead, and when the answer to the first call was lost.
    """

    id: str
    outcome: Literal["scheduled", "rescheduled", "exists"]
    run_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadJob(Generic[T]):
    """A job that was given up.

    Attributes:
        id: Its name.
        attempts: How often it was claimed.
        died_at: When it was given up, by the server's clock.
        payload: What it carries, as bytes.
    """

    id: str
    attempts: int
    died_at: datetime
    payload: bytes
    _codec: Codec[T] = field(repr=False, compare=False)

    @property
    def value(self) -> T:
        """What it carries; reading it may raise what the codec raises."""
        return self._codec.decode(self.payload)


@dataclass(frozen=True, slots=True)
class Terms:
    """How jobs are claimed and tried again.

    Attributes:
        lease: Milliseconds that a worker may be silent before its jobs go to another.
        max_attempts: Claims after which a job is given up.
        keep_dead: How many of those given up are kept.
        backoff: How long a job waits after an attempt that failed.
    """

    lease: int
    max_attempts: int
    keep_dead: int
    backoff: Backoff

    @classmethod
    def of(cls, *, lease: timedelta, max_attempts: int, keep_dead: int, backoff: Backoff) -> Terms:
        """Check what the application says."""
        if not 1 <= max_attempts <= 1_000_000:
            expected = "1 to 1000000"
            raise InvalidArgumentValue("DelayedQueue", "max_attempts", max_attempts, expected)
        if not 0 <= keep_dead <= 10_000:
            raise InvalidArgumentValue("DelayedQueue", "keep_dead", keep_dead, "0 to 10000")
        shortest = 100
        found = milliseconds("DelayedQueue", "lease", lease, least=shortest, most=LONGEST_LEASE)
        return cls(found, max_attempts, keep_dead, backoff)


class QueuePlans(Generic[T]):
    """The plans of one queue.

    Attributes:
        name: Its name.
        terms: How its jobs are claimed.
        codec: How values become payloads.
        namespace: Put before its keys.
    """

    def __init__(self, name: str, terms: Terms, codec: Codec[T], namespace: str) -> None:
        encode.namespace_prefix("DelayedQueue", namespace)
        scripts.inspect(name=name)  # whatever is wrong with the name is said now
        self.name = name
        self.terms = terms
        self.codec = codec
        self.namespace = namespace

    def schedule(
        self,
        value: T,
        id: str | None,  # noqa: A002  # as everywhere
        delay: timedelta | None,
        run_at: datetime | None,
        *,
        replace: bool,
    ) -> Plan[Placed]:
        """Put a job into the queue."""
        payload = self.codec.encode(value)
        return (yield from self._put(payload, id, delay, run_at, replace=replace))

    def revive(self, job: DeadJob[T], delay: timedelta | None) -> Plan[Placed]:
        """Put a job that was given up into the queue again."""
        return (yield from self._put(job.payload, job.id, delay, None, replace=True))

    def _put(
        self,
        payload: bytes,
        id: str | None,  # noqa: A002
        delay: timedelta | None,
        run_at: datetime | None,
        *,
        replace: bool,
    ) -> Plan[Placed]:
        if delay is not None and run_at is not None:
            expected = "None where delay is given"
            raise InvalidArgumentValue("DelayedQueue.schedule", "run_at", run_at, expected)
        name = new_owner() if id is None else id
        reply = yield from ask(
            scripts.schedule(
                name=self.name,
                id=name,
                payload=payload,
                delay=timedelta(0) if delay is None else delay,
                run_at=None if run_at is None else _to_ms(run_at),
                mode="replace" if replace else "if_absent",
                namespace=self.namespace,
            )
        )
        if isinstance(reply, scripts.ScheduleReplayed):
            return Placed(name, "scheduled", None)
        if isinstance(reply, scripts.ScheduleExists):
            due_at = None if reply.run_at is None else _of_ms(reply.run_at)
            return Placed(name, "exists", due_at)
        is_new = isinstance(reply, scripts.ScheduleScheduled)
        return Placed(name, "scheduled" if is_new else "rescheduled", _of_ms(reply.run_at))

    def remove(self, id: str) -> Plan[Status | None]:  # noqa: A002
        """Remove a job: where it was, or None."""
        reply = yield from ask(scripts.remove(name=self.name, id=id, namespace=self.namespace))
        return reply.status if isinstance(reply, scripts.RemoveRemoved) else None

    def counts(self) -> Plan[Counts]:
        """Count the jobs."""
        return (yield from ask(scripts.inspect(name=self.name, namespace=self.namespace)))

    def dead(self, start: int, count: int) -> Plan[list[DeadJob[T]]]:
        """List jobs that were given up, the last one first."""
        found: list[DeadJob[T]] = []
        while len(found) < count:
            reply = yield from ask(
                scripts.list_dead(
                    name=self.name,
                    start=start + len(found),
                    count=min(count - len(found), 100),
                    namespace=self.namespace,
                )
            )
            found += (
                DeadJob(row.id, row.attempts, _of_ms(row.died_at), row.payload, self.codec)
                for row in reply.rows
            )
            if not reply.rows:
                break
        return found


def _to_ms(moment: Any) -> int:
    if not isinstance(moment, datetime):
        raise InvalidArgumentType("DelayedQueue.schedule", "run_at", moment, "a datetime")
    if moment.tzinfo is None:
        expected = "a datetime with a time zone"
        raise InvalidArgumentValue("DelayedQueue.schedule", "run_at", moment, expected)
    return max(-(-(moment - EPOCH) // MILLISECOND), 0)


def _of_ms(since: int) -> datetime:
    return EPOCH + since * MILLISECOND
