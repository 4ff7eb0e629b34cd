"""What `RateLimiter` and `AsyncRateLimiter` do, as plans."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from redislua.bindings import limit as scripts
from redislua.errors import (
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
)
from redislua.patterns._limit_rules import Gcra, Rule, Tiers
from redislua.patterns._limit_terms import (
    CostTooLarge,
    Decision,
    Granted,
    LimitExceeded,
    decision_on,
    least,
    left_of,
)
from redislua.patterns._local_limits import Local, Said
from redislua.patterns._plan import Plan, ask, ask_many, sleep
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = ["LimiterPlans", "Outage"]

_log = logging.getLogger("redislua")

Outage: TypeAlias = Literal["raise", "allow", "deny", "local"]
"""What a limiter does when the server cannot be asked."""

NOW = timedelta(0)
SLACK = 0.01
"""Share by which waits are lengthened at random, so that who waited together asks apart."""

LONGEST = timedelta(days=366)


_REFUSED = (
    scripts.GcraLimited,
    scripts.TokenBucketLimited,
    scripts.SlidingWindowLimited,
    scripts.SlidingWindowCounterLimited,
    scripts.IncrementWithLimitCapped,
    scripts.GcraMultiLimited,
)
_TOO_LARGE = (
    scripts.GcraTooLarge,
    scripts.TokenBucketTooLarge,
    scripts.SlidingWindowTooLarge,
    scripts.SlidingWindowCounterTooLarge,
    scripts.GcraMultiTooLarge,
)


_BLOCKED = (scripts.BlockBlocked, scripts.GcraMultiBlocked)


class LimiterPlans:
    """The plans of one limiter."""

    def __init__(self, rule: Rule, outage: Outage, namespace: str, *, blocks: bool) -> None:
        encode.namespace_prefix("RateLimiter", namespace)
        if outage not in ("raise", "allow", "deny", "local"):
            expected = "raise, allow, deny or local"
            raise InvalidArgumentValue("RateLimiter", "outage", outage, expected)
        rule.take("a", 1, "")  # whatever is wrong with the rule is said now
        self._rule = rule
        self._outage = outage
        self._namespace = namespace
        self._blocks = blocks and not isinstance(rule, Tiers)  # whose script looks itself
        self._local = Local(rule) if outage == "local" else None

    def consume(self, subject: str, cost: int) -> Plan[Decision]:
        """Take, or learn how long to wait."""
        call = self._rule.take(subject, cost, self._namespace)
        return (yield from self._decided(call, subject, cost, takes=True))

    def check(self, subject: str, cost: int) -> Plan[Decision]:
        """Look."""
        call = self._rule.look(subject, cost, self._namespace)
        if call is None:
            expected = "a rule that can look without taking: Gcra, TokenBucket, WindowCounter"
            raise InvalidArgumentType("RateLimiter.check", "rule", self._rule, expected)
        return (yield from self._decided(call, subject, cost, takes=False))

    def wait(self, subject: str, cost: int, seconds: float) -> Plan[Decision]:
        """Take, as soon as that can be."""
        until = time.monotonic() + seconds
        while True:
            decision = yield from self.consume(subject, cost)
            if decision.allowed:
                return decision
            pause = decision.retry_after.total_seconds()
            if time.monotonic() + pause > until:
                raise LimitExceeded(subject, decision)
            yield from sleep(pause * (1 + SLACK * random.random()))  # noqa: S311

    def enter(self, subject: str, cost: int, seconds: float) -> Plan[Decision]:
        """Take or refuse; wait first where there is time for it."""
        if seconds:
            return (yield from self.wait(subject, cost, seconds))
        decision = yield from self.consume(subject, cost)
        if not decision.allowed:
            raise LimitExceeded(subject, decision)
        return decision

    def _decided(self, call: Call[Any], subject: str, cost: int, *, takes: bool) -> Plan[Decision]:
        reply = yield from self._asked(call, subject)
        if isinstance(reply, _BLOCKED):
            return self._shut_out(reply.retry_after)
        if reply is None:
            return self._guessed(subject, cost, takes=takes)
        return self._said(reply, subject, cost)

    def _asked(self, call: Call[Any], subject: str) -> Plan[Any]:
        """The reply, or that the subject is shut out; None when a guess has to do.

        Who is known to be shut out stays out, also where the limit itself cannot be asked.
        """
        try:
            if not self._blocks:
                return (yield from ask(call))
            block, reply = yield from ask_many(self._block(subject, "check"), call)
            for one in (block, reply):
                if isinstance(one, _BLOCKED):
                    return one
                if isinstance(one, BaseException):
                    raise one
        except (NotExecuted, OutcomeUnknown) as error:
            if self._outage == "raise":
                raise
            _log.warning("deciding on %r without the server (%s): %s", subject, self._outage, error)
            return None
        return reply

    def _block(
        self, subject: str, mode: Literal["block", "lift", "check"], span: int = 1
    ) -> Call[scripts.BlockReply]:
        return scripts.block(subject=subject, span=span, mode=mode, namespace=self._namespace)

    def _shut_out(self, left: timedelta) -> Decision:
        decision = self._of_all(
            Said(allowed=False, remaining=0, retry_after=left, reset_after=left)
        )
        return replace(decision, is_blocked=True)

    # --- beside the decisions ------------------------------------------------------------------

    def _gcra(self, method: str) -> Gcra:
        if not isinstance(self._rule, Gcra):
            raise InvalidArgumentType(f"RateLimiter.{method}", "rule", self._rule, "a Gcra rule")
        return self._rule

    def take_up_to(self, subject: str, count: int) -> Plan[Granted]:
        """Take what there is, up to a number."""
        call = self._gcra("take_up_to").up_to(subject, count, self._namespace)
        reply = yield from self._asked(call, subject)
        if isinstance(reply, scripts.TakeUpToGranted):
            return Granted(reply.granted, reply.remaining, NOW)
        if reply is not None:
            return Granted(0, 0, reply.retry_after, is_blocked=isinstance(reply, _BLOCKED))
        if self._local is not None:
            count, said = self._local.take_up_to(subject, count)
            retry = NOW if count else said.retry_after
            return Granted(count, said.remaining, retry, is_guess=True)
        if self._outage == "allow":
            return Granted(min(count, self._rule.burst), 0, NOW, is_guess=True)
        return Granted(0, 0, self._rule.window, is_guess=True)

    def settle(self, subject: str, delta: int, token: str | None) -> Plan[int]:
        """Correct a charge: what remains, negative for a debt."""
        call = self._gcra("settle").settle(subject, delta, token, self._namespace)
        reply = yield from ask(call)
        return reply.remaining

    def reset(self, subject: str) -> Plan[bool]:
        """Forget a subject: whether there was anything."""
        reply = yield from ask(scripts.reset(subject=subject, namespace=self._namespace))
        return reply.existed

    def block(self, subject: str, span: timedelta) -> Plan[timedelta]:
        """Shut a subject out: for how long."""
        found = milliseconds("RateLimiter.block", "span", span, most=LONGEST)
        reply = yield from ask(self._block(subject, "block", found))
        return reply.retry_after if isinstance(reply, scripts.BlockBlocked) else NOW

    def unblock(self, subject: str) -> Plan[None]:
        """Let a subject in again."""
        yield from ask(self._block(subject, "lift"))

    # --- what replies mean ---------------------------------------------------------------------

    def _said(self, reply: Any, subject: str, cost: int) -> Decision:
        if isinstance(reply, _TOO_LARGE) or cost > self._rule.burst:
            raise CostTooLarge(subject, cost, self._rule.burst)
        allowed = not isinstance(reply, _REFUSED)
        if isinstance(self._rule, Tiers):
            return self._of_tiers(self._rule, reply, allowed=allowed)
        if isinstance(reply, scripts.IncrementWithLimitAdded | scripts.IncrementWithLimitCapped):
            left, retry = self._rule.limit - reply.value, reply.reset_after
        else:
            left, retry = reply.remaining, getattr(reply, "retry_after", NOW)
        return Decision(
            allowed=allowed,
            limit=self._rule.limit,
            window=self._rule.window,
            remaining=max(left, 0),
            retry_after=NOW if allowed else retry,
            # The exact log says when there is room for this request, and not when for all.
            reset_after=getattr(reply, "reset_after", self._rule.window),
        )

    def _of_tiers(self, rule: Tiers, reply: Any, *, allowed: bool) -> Decision:
        tiers = [left_of(row.name, rule.tiers[row.name], row) for row in reply.tiers]
        if allowed:
            return decision_on(least(tiers), NOW, tiers, allowed=True)
        shown = next(tier for tier in tiers if tier.name == reply.tier)
        return decision_on(shown, reply.retry_after, tiers, allowed=False)

    def _guessed(self, subject: str, cost: int, *, takes: bool) -> Decision:
        if cost > self._rule.burst:
            raise CostTooLarge(subject, cost, self._rule.burst)
        if self._local is None:
            allowed = self._outage == "allow"
            retry = NOW if allowed else self._rule.window
            decision = self._of_all(Said(allowed, 0, retry, NOW))
        else:
            decision = self._of_each(self._local.decide(subject, cost, takes=takes))
        return replace(decision, is_guess=True)

    def _of_all(self, said: Said) -> Decision:
        """What holds for each limit of the rule; of several, the one that grants the least."""
        tiers = self._rule.tiers.items() if isinstance(self._rule, Tiers) else ()
        each = [left_of(name, tier, said) for name, tier in tiers]
        shown = left_of("", self._rule, said)
        return decision_on(shown, said.retry_after, each, allowed=said.allowed)

    def _of_each(self, said: tuple[Said, ...]) -> Decision:
        """What each limit of the rule says by itself."""
        if not isinstance(self._rule, Tiers):
            return self._of_all(said[0])
        tiers = [
            left_of(name, tier, one)
            for (name, tier), one in zip(self._rule.tiers.items(), said, strict=True)
        ]
        refused = [pair for pair in zip(said, tiers, strict=True) if not pair[0].allowed]
        if not refused:
            return decision_on(least(tiers), NOW, tiers, allowed=True)
        longest, shown = max(refused, key=lambda pair: pair[0].retry_after)
        return decision_on(shown, longest.retry_after, tiers, allowed=False)
