"""What `Worker` and `AsyncWorker` do, as plans: claim, work beside each other, end, stop."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from redislua.bindings import queue as scripts
from redislua.errors import (
    CallError,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    RedisLuaError,
)
from redislua.patterns._delayed_queue import QueuePlans
from redislua.patterns._plan import (
    Background,
    Ear,
    Plan,
    ask,
    do,
    hear,
    sleep,
    spawn,
    stop,
    subscribe,
    unsubscribe,
)
from redislua.runtime import Call, new_owner

__all__ = ["GiveUp", "Job", "Retry", "WorkerPlans"]

_log = logging.getLogger("redislua")

T = TypeVar("T")

RENEWALS = 3
"""How often leases are renewed before they would end."""

IDLE = 30.0
"""Seconds after which an idle worker looks, whatever it was told: a message may be lost."""

POLL = 1.0
"""Seconds between looks where waking cannot be had."""

TICK = 0.5
"""Seconds after which a worker sees that it is to stop, if nobody could wake it."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts while the server cannot be asked: doubled up to the second."""

MOST = 100
"""Jobs of one claim, as its script takes it."""


class Retry(RedisLuaError):
    """Raised by a handler: the job is to be tried again.

    Attributes:
        delay: After how long; as the queue's ``backoff`` says if None.
    """

    def __init__(self, delay: timedelta | None = None) -> None:
        super().__init__("to be tried again")
        self.delay = delay


class GiveUp(RedisLuaError):
    """Raised by a handler: the job is to be given up, however often it was tried."""


class Job(Generic[T]):
    """What a handler is given.

    Attributes:
        id: Its name.
        value: What it carries.
        attempt: How often it was claimed, this time included. More than once may mean that
            an earlier worker died after it had done the work.
    """

    __slots__ = ("_claim", "attempt", "id", "value")

    def __init__(self, id: str, value: T, attempt: int, claim: _Claim) -> None:  # noqa: A002
        self.id = id
        self.value = value
        self.attempt = attempt
        self._claim = claim

    @property
    def is_held(self) -> bool:
        """Whether it is this worker's, as far as is known: another may have it if it is not.

        A handler that takes long may ask before each step that must not be done by two.
        """
        return self.id in self._claim.open

    def __repr__(self) -> str:
        return f"<Job {self.id!r}, attempt {self.attempt}>"


class _Claim:
    """Jobs that were claimed together.

    Attributes:
        receipt: What they were claimed with.
        open: Those that are being worked on and held. Threads change it, one operation each.
        renewal: What renews their leases.
    """

    __slots__ = ("open", "receipt", "renewal")

    def __init__(self, receipt: str, ids: set[str]) -> None:
        self.receipt = receipt
        self.open = ids
        self.renewal: Background = None


class WorkerPlans(Generic[T]):
    """The plans of one worker."""

    def __init__(
        self,
        queue: QueuePlans[T],
        handler: Callable[[Job[T]], Any],
        concurrency: int,
        bell: Ear,
    ) -> None:
        if not 1 <= concurrency <= 1_000:
            raise InvalidArgumentValue("Worker", "concurrency", concurrency, "1 to 1000")
        self._queue = queue
        self._handler = handler
        self._concurrency = concurrency
        self._bell = bell
        self._own_bell = bell
        self._is_running = self._is_stopping = False
        self._busy: set[tuple[str, str]] = set()
        self._working: dict[tuple[str, str], tuple[Background, _Claim]] = {}
        self._receipt = new_owner()
        self._outages = 0

    def stop(self) -> None:
        """Claim no more; who runs sees it within `TICK`."""
        self._is_stopping = True

    def ring(self) -> None:
        """Have whoever runs look now."""
        self._bell.wake()

    # --- claiming ------------------------------------------------------------------------------

    def run(self, *, until_empty: bool) -> Plan[None]:
        """Claim jobs and have them done, until it is stopped, or nothing is due."""
        if self._is_running:
            raise RuntimeError("this worker runs already: make another one")
        self._is_running = True
        ear: Ear | None = None
        try:
            while not self._is_stopping:
                self._forget()
                if len(self._busy) >= self._concurrency:
                    yield from self._rest(IDLE)
                    continue
                reply = yield from self._claim(is_patient=not until_empty)
                if isinstance(reply, scripts.ClaimClaimed):
                    yield from self._begin(reply.rows)
                elif isinstance(reply, scripts.ClaimEmpty) and until_empty:
                    if not self._busy and reply.next_after != timedelta(0):
                        return
                    yield from self._rest(POLL if self._busy else 0)
                elif isinstance(reply, scripts.ClaimEmpty):
                    if ear is None or ear.is_over:
                        ear = yield from subscribe(self._channel(), POLL)
                        self._bell = self._own_bell if ear is None else ear
                        if ear is not None:
                            continue  # what was scheduled before is seen by looking once more
                    yield from self._rest(_until(reply, POLL if ear is None else IDLE))
            while self._busy:
                yield from hear(self._bell, TICK)
        except BaseException:
            for key, (background, claim) in list(self._working.items()):
                yield from stop(background)
                if key in self._busy:  # it had not begun
                    yield from self._give_back(claim, key[1])
                    yield from self._ended(claim, key[1])
            raise
        finally:
            self._bell = self._own_bell
            self._is_running = False
            if ear is not None:
                yield from unsubscribe(ear)

    def _channel(self) -> bytes:
        queue = self._queue
        return scripts.schedule_channels(name=queue.name, namespace=queue.namespace).sooner

    def _rest(self, seconds: float) -> Plan[None]:
        """Wait for a message, for a job to end, or to be stopped."""
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            if (yield from hear(self._bell, min(left, TICK))):
                return

    def _claim(self, *, is_patient: bool) -> Plan[scripts.ClaimReply | None]:
        """Ask for jobs; None while the server cannot be asked, to who is patient."""
        queue, terms = self._queue, self._queue.terms
        call = scripts.claim(
            name=queue.name,
            receipt=self._receipt,
            lease=terms.lease,
            count=min(self._concurrency - len(self._busy), MOST),
            max_attempts=terms.max_attempts,
            keep_dead=terms.keep_dead,
            namespace=queue.namespace,
        )
        try:
            reply = yield from ask(call)
        except (NotExecuted, OutcomeUnknown) as error:
            if not is_patient:
                raise
            # The same receipt next time: what was claimed although the reply was lost is found.
            pause = min(FIRST_PAUSE * 2 ** min(self._outages, 16), LONGEST_PAUSE)
            self._outages += 1
            _log.warning("no jobs of %r can be claimed: %s", queue.name, error)
            yield from self._rest(pause * random.uniform(0.5, 1))  # noqa: S311
            return None
        self._outages = 0
        if reply.died:
            _log.error("%d jobs of %r were given up or lost", reply.died, queue.name)
        return reply

    def _begin(self, rows: tuple[scripts.ClaimClaimedRow, ...]) -> Plan[None]:
        claim = _Claim(self._receipt, {row.id for row in rows})
        self._receipt = new_owner()
        if not rows:
            return
        period = self._queue.terms.lease / 1_000 / RENEWALS
        claim.renewal = yield from spawn(self._renew(claim, period), after=period)
        self._busy.update((claim.receipt, row.id) for row in rows)
        for row in rows:
            background = yield from spawn(self._work(claim, row))
            self._working[claim.receipt, row.id] = background, claim

    def _forget(self) -> None:
        """Let go of the jobs that have ended."""
        for key in self._working.keys() - self._busy:
            del self._working[key]

    def _renew(self, claim: _Claim, period: float) -> Plan[None]:
        """Renew the leases of jobs beside their work."""
        call = scripts.renew(
            name=self._queue.name,
            receipt=claim.receipt,
            lease=self._queue.terms.lease,
            namespace=self._queue.namespace,
        )
        while True:
            before = set(claim.open)  # what ends while the call is under way is not lost
            try:
                reply = yield from ask(call)
            except (NotExecuted, OutcomeUnknown) as error:
                _log.warning("leases of %r could not be renewed: %s", self._queue.name, error)
            else:
                rows = reply.rows if isinstance(reply, scripts.RenewRenewed) else ()
                for lost in before - {row.id for row in rows}:
                    if lost in claim.open:
                        claim.open.discard(lost)
                        _log.warning("job %r is no longer this worker's", lost)
            yield from sleep(period)

    # --- working -------------------------------------------------------------------------------

    def _work(self, claim: _Claim, row: scripts.ClaimClaimedRow) -> Plan[None]:
        try:
            end = yield from self._attempt(claim, row)
            claim.open.discard(row.id)
            try:
                yield from self._end(row.id, end)
            except Exception:
                raise
            except BaseException:  # a cancellation that comes now comes too late: it is done
                yield from self._tell(end)
                raise
        finally:
            yield from self._ended(claim, row.id)

    def _ended(self, claim: _Claim, id: str) -> Plan[None]:  # noqa: A002
        claim.open.discard(id)
        try:
            if not claim.open:
                yield from stop(claim.renewal)
        finally:
            self._busy.discard((claim.receipt, id))
            self.ring()

    def _attempt(self, claim: _Claim, row: scripts.ClaimClaimedRow) -> Plan[Call[Any]]:
        """Have the handler do a job; the call that says what became of it."""
        terms = self._queue.terms
        try:
            job = Job(row.id, self._queue.codec.decode(row.payload), row.attempt, claim)
            yield from do(lambda: self._handler(job))
        except GiveUp as error:
            _log.warning("job %r is given up by its handler: %s", row.id, error)
            return self._nack(claim, row.id, timedelta(0), max_attempts=1)
        except Retry as again:
            delay = terms.backoff(row.attempt) if again.delay is None else again.delay
            return self._nack(claim, row.id, delay, max_attempts=terms.max_attempts)
        except Exception:
            _log.warning("attempt %d of job %r failed", row.attempt, row.id, exc_info=True)
            delay = terms.backoff(row.attempt)
            return self._nack(claim, row.id, delay, max_attempts=terms.max_attempts)
        except BaseException:
            yield from self._give_back(claim, row.id)
            raise
        queue = self._queue
        return scripts.ack(
            name=queue.name, id=row.id, receipt=claim.receipt, namespace=queue.namespace
        )

    def _give_back(self, claim: _Claim, id: str) -> Plan[None]:  # noqa: A002
        """The job is as good as before, and goes to the next worker."""
        yield from self._tell(self._nack(claim, id, timedelta(0), max_attempts=1_000_000))

    def _tell(self, call: Call[Any]) -> Plan[None]:
        """Say once what became of a job; its lease ends by itself if that cannot be said."""
        try:
            yield from ask(call)
        except CallError as error:
            _log.warning("a job is left to its lease: %s", error)

    def _nack(
        self,
        claim: _Claim,
        id: str,  # noqa: A002
        delay: timedelta,
        *,
        max_attempts: int,
    ) -> Call[scripts.NackReply]:
        queue = self._queue
        return scripts.nack(
            name=queue.name,
            id=id,
            receipt=claim.receipt,
            delay=max(delay, timedelta(0)),
            max_attempts=max_attempts,
            keep_dead=queue.terms.keep_dead,
            namespace=queue.namespace,
        )

    def _end(self, id: str, call: Call[Any]) -> Plan[None]:  # noqa: A002
        """Say what became of a job, for as long as that can be of use."""
        began = time.monotonic()
        while True:
            try:
                reply = yield from ask(call)
                break
            except (NotExecuted, OutcomeUnknown) as error:
                patience = self._queue.terms.lease / 1_000
                if self._is_stopping:
                    patience = min(patience, LONGEST_PAUSE)
                if time.monotonic() - began > patience:
                    _log.error("the end of job %r is not known: %s", id, error)
                    return
            yield from sleep(POLL)
        if isinstance(reply, scripts.AckLost | scripts.NackLost):
            _log.warning("job %r went to another worker: it may be done twice", id)
        elif isinstance(reply, scripts.NackDead):
            _log.error("job %r is given up after attempt %d", id, reply.attempts)


def _until(reply: scripts.ClaimEmpty, most: float) -> float:
    if reply.next_after is None:
        return most
    return min(reply.next_after.total_seconds(), most)
