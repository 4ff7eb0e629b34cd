"""What `Lock`, `Semaphore` and `Leader` have in common, as plans: take, keep, give back."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from redislua.errors import CallError, OutcomeUnknown, ScriptError
from redislua.patterns._holding_calls import Calls
from redislua.patterns._holding_terms import AcquireTimeout, Holding, LeaseLost, Terms
from redislua.patterns._plan import Plan, ask, do, pop, sleep, spawn, stop
from redislua.runtime import Call, Script, new_owner

__all__ = ["FOR_EVER", "RENEWALS", "HoldingPlans"]

_log = logging.getLogger("redislua")

RENEWALS = 3
"""How often a hold is renewed before it would end."""

LONGEST_WAIT = 60.0
"""Seconds after which a waiter asks again, whatever it was told."""

FOR_EVER = math.inf
"""Seconds of a wait that does not end."""

SPREAD = 0.05
"""Share by which waits are lengthened at random, so that who waited together asks apart."""


@cache
def _sent_once(script: Script) -> Script:
    return replace(script, retry="never")


def _known(call: Call[Any]) -> Call[Any]:
    """The same call, of which it is known whether it was sent twice: it never is."""
    return Call(_sent_once(call.script), call.keys, call.args, call.decode, call.channels)


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
        except (AcquireTimeout, ScriptError, GeneratorExit):
            raise  # nothing is held
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
