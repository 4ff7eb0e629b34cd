"""What `Lock`, `Semaphore` and `Leader` have in common, as plans: take, keep, give back."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, Protocol

from redislua.bindings import lock, semaphore
from redislua.errors import (
    CallError,
    InvalidArgumentType,
    InvalidArgumentValue,
    OutcomeUnknown,
    RedisLuaError,
)
from redislua.patterns._plan import Background, Plan, ask, do, pop, sleep, spawn, stop
from redislua.runtime import DEFAULT_DEADLINE, Call, Script, encode, new_owner

__all__ = [
    "FOR_EVER",
    "RENEWALS",
    "AcquireTimeout",
    "Holding",
    "HoldingPlans",
    "LeaseLost",
    "LockCalls",
    "SemaphoreCalls",
    "Terms",
]

_log = logging.getLogger("redislua")

RENEWALS = 3
"""How often a hold is renewed before it would end."""

LONGEST_WAIT = 60.0
"""Seconds after which a waiter asks again, whatever it was told."""

FOR_EVER = math.inf
"""Seconds of a wait that does not end."""

SPREAD = 0.05
"""Share by which waits are lengthened at random, so that who waited together asks apart."""


class AcquireTimeout(RedisLuaError):
    """Others held it for longer than this caller would wait.

    Attributes:
        name: Of the lock or the semaphore.
        waited: How long it waited.
        retry_after: When what is held now would be free if nobody gave it back sooner.
    """

    def __init__(self, name: str, waited: timedelta, retry_after: timedelta) -> None:
        super().__init__(
            f"{name!r} was not to be had in {waited.total_seconds():.3f} s; "
            f"the first hold ends in {retry_after.total_seconds():.3f} s"
        )
        self.name = name
        self.waited = waited
        self.retry_after = retry_after


class LeaseLost(RedisLuaError):
    """The hold ended before it was given back: somebody else may have had it since.

    What was done under it may have been done at the same time elsewhere.

    Attributes:
        name: Of the lock or the semaphore.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} was no longer held: its hold ended, or the server lost it")
        self.name = name


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long things are held and waited for.

    Attributes:
        hold: How long the server keeps what nobody renews.
        wait: Seconds that a caller waits when it does not say.
        renew: Whether a hold is renewed in the background.
        on_lost: Called with the name when a hold ended too early; for asyncio it may return
            an awaitable.
        deadline: Seconds that a call may take.
    """

    hold: timedelta
    wait: float
    renew: bool
    on_lost: Callable[[str], Any] | None
    deadline: float

    @classmethod
    def of(
        cls,
        subject: str,
        *,
        hold: timedelta = timedelta(seconds=30),
        wait: timedelta = timedelta(seconds=30),
        renew: bool = True,
        on_lost: Callable[[str], Any] | None = None,
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> Terms:
        """Check what the application says, but for the hold, which the script's binding does."""
        if not isinstance(hold, timedelta):
            raise InvalidArgumentType(subject, "hold", hold, "a timedelta")
        seconds = deadline.total_seconds() if isinstance(deadline, timedelta) else deadline
        return cls(hold, seconds_of(subject, "wait", wait), renew, on_lost, seconds)


def seconds_of(subject: str, parameter: str, value: timedelta) -> float:
    """Seconds of a span that is not negative."""
    if not isinstance(value, timedelta):
        raise InvalidArgumentType(subject, parameter, value, "a timedelta")
    if value < timedelta(0):
        raise InvalidArgumentValue(subject, parameter, value, "a timedelta of 0 or more")
    return value.total_seconds()


@dataclass(slots=True, eq=False)
class Holding:
    """Something that is held, or was.

    Attributes:
        name: Of the lock or the semaphore.
        owner: What the server knows the holder by.
        fence: Of a lock, a decimal; ``""`` of a semaphore.
        hold: What it is renewed for.
        ends: When the hold ends at the latest that is certain, on the monotonic clock.
        is_lost: It ended before it was given back.
        is_over: It was given back.
        renewing: What keeps it, if anything does.
    """

    name: str
    owner: str
    fence: str
    hold: timedelta
    ends: float
    is_lost: bool = False
    is_over: bool = False
    renewing: Background | None = field(default=None, repr=False)

    @property
    def left(self) -> float:
        """Seconds for which it is certainly held; 0 when it is not."""
        if self.is_lost or self.is_over:
            return 0.0
        return max(self.ends - time.monotonic(), 0.0)


# --- what is asked -----------------------------------------------------------------------------


class Calls(Protocol):
    """The scripts of a family for one name."""

    name: str
    wake: bytes
    longest_ticket: int

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        """Take it."""

    def refused(self, reply: Any) -> timedelta | None:
        """For how long, or None when it was granted."""

    def fence(self, reply: Any) -> str:
        """The fence of what was granted."""

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        """Keep it."""

    def is_lost(self, reply: Any) -> bool:
        """Whether it could not be kept."""

    def release(self, owner: str) -> Call[Any]:
        """Give it back."""

    def is_released(self, reply: Any) -> bool:
        """Whether it was held until then."""


class LockCalls:
    """`Calls` of a lock."""

    longest_ticket = 16

    def __init__(
        self, name: str, *, namespace: str, grace: timedelta, keep_fence: timedelta
    ) -> None:
        encode.namespace_prefix("Lock", namespace)
        self.name = name
        self.wake = lock.acquire_keys(name=name, namespace=namespace).wake
        self._namespace = namespace
        self._grace = grace
        self._keep_fence = keep_fence

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        return lock.acquire(
            name=self.name,
            owner=owner,
            hold=hold,
            ticket=ticket,
            keep_fence=self._keep_fence,
            namespace=self._namespace,
        )

    def refused(self, reply: Any) -> timedelta | None:
        return reply.retry_after if isinstance(reply, lock.AcquireHeld) else None

    def fence(self, reply: Any) -> str:
        fence: str = reply.fence
        return fence

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        return lock.extend(name=self.name, owner=owner, hold=hold, namespace=self._namespace)

    def is_lost(self, reply: Any) -> bool:
        return isinstance(reply, lock.ExtendLost)

    def release(self, owner: str) -> Call[Any]:
        return lock.release(
            name=self.name, owner=owner, grace=self._grace, namespace=self._namespace
        )

    def is_released(self, reply: Any) -> bool:
        return isinstance(reply, lock.ReleaseReleased)

    def inspect(self) -> Call[lock.InspectReply]:
        """Look who holds it."""
        return lock.inspect(name=self.name, namespace=self._namespace)


class SemaphoreCalls:
    """`Calls` of a semaphore."""

    longest_ticket = 48

    def __init__(self, name: str, limit: int, *, namespace: str, grace: timedelta) -> None:
        encode.namespace_prefix("Semaphore", namespace)
        self.name = name
        self.wake = semaphore.acquire_keys(name=name, namespace=namespace).wake
        self._limit = limit
        self._namespace = namespace
        self._grace = grace

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        return semaphore.acquire(
            name=self.name,
            owner=owner,
            limit=self._limit,
            hold=hold,
            ticket=ticket,
            namespace=self._namespace,
        )

    def refused(self, reply: Any) -> timedelta | None:
        return reply.retry_after if isinstance(reply, semaphore.AcquireFull) else None

    def fence(self, reply: Any) -> str:
        del reply
        return ""

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        return semaphore.renew(name=self.name, owner=owner, hold=hold, namespace=self._namespace)

    def is_lost(self, reply: Any) -> bool:
        return isinstance(reply, semaphore.RenewLost)

    def release(self, owner: str) -> Call[Any]:
        return semaphore.release(
            name=self.name, owner=owner, grace=self._grace, namespace=self._namespace
        )

    def is_released(self, reply: Any) -> bool:
        return isinstance(reply, semaphore.ReleaseReleased)


@cache
def _sent_once(script: Script) -> Script:
    return replace(script, retry="never")


def _known(call: Call[Any]) -> Call[Any]:
    """The same call, of which it is known whether it was sent twice: it never is."""
    return Call(_sent_once(call.script), call.keys, call.args, call.decode, call.channels)


# --- plans ---------------------------------------------------------------------------------------


class HoldingPlans:
    """The plans of one lock or semaphore."""

    def __init__(
        self, calls: Calls, terms: Terms, make_owner: Callable[[], str] = new_owner
    ) -> None:
        # Whatever is wrong with name, limit, hold and grace is said now.
        calls.acquire("a", terms.hold, None)
        calls.release("a")
        self.calls = calls
        self.terms = terms
        self._make_owner = make_owner

    def acquire(self, seconds: float) -> Plan[Holding]:
        """Take it, waiting if need be.

        Raises:
            AcquireTimeout: It was not to be had.
        """
        owner, began = self._make_owner(), time.monotonic()
        taken: list[bytes] = []
        try:
            while True:
                asked = time.monotonic()
                reply = yield from ask(self._acquire(owner, taken))
                taken.clear()  # good for this once, or too late
                retry_after = self.calls.refused(reply)
                if retry_after is None:
                    return (yield from self._held(owner, self.calls.fence(reply), asked))
                now = time.monotonic()
                if now - began >= seconds:
                    raise AcquireTimeout(
                        self.calls.name, timedelta(seconds=now - began), retry_after
                    )
                pause = min(retry_after.total_seconds(), LONGEST_WAIT)
                pause *= 1 + SPREAD * random.random()  # noqa: S311
                yield from pop(self.calls.wake, min(pause, began + seconds - now), taken)
        except (AcquireTimeout, GeneratorExit):
            raise
        except BaseException:
            # The call that failed may have been executed, and what was popped is somebody's
            # turn: taken and given back, it passes to the next.
            if taken:
                yield from self._quietly(self._acquire(owner, taken))
            yield from self._quietly(self.calls.release(owner))
            raise

    def try_acquire(self) -> Plan[Holding | None]:
        """Take it, or come back without it at once."""
        try:
            return (yield from self.acquire(0.0))
        except AcquireTimeout:
            return None

    def _acquire(self, owner: str, taken: list[bytes]) -> Call[Any]:
        ticket = None
        if taken and 0 < len(taken[-1]) <= self.calls.longest_ticket:
            ticket = taken[-1].decode("utf-8", "replace")
        return self.calls.acquire(owner, self.terms.hold, ticket)

    def _held(self, owner: str, fence: str, asked: float) -> Plan[Holding]:
        hold = self.terms.hold
        holding = Holding(self.calls.name, owner, fence, hold, ends=asked + hold.total_seconds())
        yield from self._keep(holding)
        return holding

    def _keep(self, holding: Holding) -> Plan[None]:
        if self.terms.renew:
            after = holding.hold.total_seconds() / RENEWALS
            holding.renewing = yield from spawn(self._renewing(holding), after=after)

    def _renewing(self, holding: Holding) -> Plan[None]:
        while True:
            pause = yield from self.renewed(holding)
            if pause is None:
                return
            yield from sleep(pause)

    def renewed(self, holding: Holding) -> Plan[float | None]:
        """Renew once: seconds until the next time, or None when it is lost, or over."""
        asked = time.monotonic()
        left = holding.ends - asked
        if holding.is_over:
            return None
        reply: Any = None
        try:
            if left > 0:
                call = self.calls.extend(holding.owner, holding.hold)
                reply = yield from ask(call, min(left, self.terms.deadline))
        except CallError as error:
            _log.warning("renewing %r: %s", holding.name, error)
        if reply is not None and not self.calls.is_lost(reply):
            hold = holding.hold.total_seconds()
            holding.ends = asked + hold
            return hold / RENEWALS
        left = holding.ends - time.monotonic()
        if reply is None and left > 0:
            return left / RENEWALS
        yield from self._lost(holding)
        return None

    def _lost(self, holding: Holding) -> Plan[None]:
        holding.is_lost = True
        _log.warning("lost %r before it was given back", holding.name)
        on_lost = self.terms.on_lost
        if on_lost is not None:
            yield from do(lambda: on_lost(holding.name))

    def extend(self, holding: Holding, hold: timedelta | None) -> Plan[None]:
        """Have the hold start anew, for another span if one is given.

        Raises:
            LeaseLost: It is no longer held.
        """
        if not holding.left:
            raise LeaseLost(holding.name)
        renewing, holding.renewing = holding.renewing, None
        if renewing is not None:
            yield from stop(renewing)
        asked, hold = time.monotonic(), hold or holding.hold
        try:
            reply = yield from ask(self.calls.extend(holding.owner, hold))
        except GeneratorExit:
            raise
        except BaseException:
            yield from self._keep(holding)
            raise
        if self.calls.is_lost(reply):
            holding.is_lost = True
            raise LeaseLost(holding.name)
        holding.hold, holding.ends = hold, asked + hold.total_seconds()
        yield from self._keep(holding)

    def release(self, holding: Holding) -> Plan[None]:
        """Give it back, once.

        Raises:
            LeaseLost: It had not been held until now.
            CallError: The server could not be told; the hold ends by itself.
        """
        if holding.is_over:
            return
        holding.is_over = True
        call = self.calls.release(holding.owner)
        try:
            if holding.renewing is not None:
                yield from stop(holding.renewing)
            is_released = yield from self._given_back(call)
        except (CallError, GeneratorExit):
            raise
        except BaseException:
            yield from self._quietly(call)
            raise
        if holding.is_lost or not is_released:
            holding.is_lost = True
            raise LeaseLost(holding.name)

    def _given_back(self, call: Call[Any]) -> Plan[bool]:
        """Whether it was held until then.

        That the second execution of a call finds nothing to give back says nothing, and a
        reply that is lost leaves it open which one it is: so each is sent knowingly.
        """
        until, is_open = time.monotonic() + self.terms.deadline, False
        while True:
            left = until - time.monotonic()
            try:
                reply = yield from ask(_known(call), left)
            except OutcomeUnknown:
                if time.monotonic() >= until:
                    raise
                is_open = True
            else:
                return is_open or self.calls.is_released(reply)

    def leave(self, holding: Holding, *, is_failing: bool) -> Plan[None]:
        """Give it back at the end of a block, and hide no other failure.

        Args:
            holding: What the block was entered with.
            is_failing: Whether the block ends with an exception.

        Raises:
            LeaseLost: The block ended well, and had not had it until its end.
        """
        try:
            yield from self.release(holding)
        except CallError as error:
            _log.warning("giving %r back, whose hold ends by itself: %s", holding.name, error)
        except LeaseLost:
            if not is_failing:
                raise
            _log.warning("%r had been lost when its block failed", holding.name)

    def _quietly(self, call: Call[Any]) -> Plan[None]:
        try:
            yield from ask(call)
        except CallError as error:
            _log.warning("giving %r back: %s", self.calls.name, error)
