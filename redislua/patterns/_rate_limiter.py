"""What `RateLimiter` and `AsyncRateLimiter` do, as plans, and what a decision says."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from redislua.bindings import limit as scripts
from redislua.errors import (
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    RedisLuaError,
)
from redislua.patterns._limit_rules import Gcra, Rule, Tiers
from redislua.patterns._local_limits import Local, local_of
from redislua.patterns._plan import Plan, ask, ask_many, sleep
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = [
    "CostTooLarge",
    "Decision",
    "Granted",
    "LimitExceeded",
    "LimiterPlans",
    "Outage",
    "TierLeft",
]

_log = logging.getLogger("redislua")

Outage: TypeAlias = Literal["raise", "allow", "deny", "local"]
"""What a limiter does when the server cannot be asked."""

NOW = timedelta(0)
SLACK = 0.01
"""Share by which waits are lengthened at random, so that who waited together asks apart."""

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TierLeft:
    """What one of several limits says.

    Attributes:
        name: Its name in `Tiers`.
        limit: What it grants in its window.
        window: Its window.
        remaining: What is left for requests of cost 1.
        reset_after: When everything is there again.
    """

    name: str
    limit: int
    window: timedelta
    remaining: int
    reset_after: timedelta


@dataclass(frozen=True, slots=True)
class Granted:
    """What `RateLimiter.take_up_to` took.

    Attributes:
        count: How many tokens; 0 when there was none.
        remaining: What is left.
        retry_after: When there is one again; 0 when there was one.
    """

    count: int
    remaining: int
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Decision:
    """What a limiter says to one request.

    Attributes:
        allowed: Whether it may go on; if so its cost was taken, unless it only looked.
        limit: What the rule grants in its window.
        window: The rule's window.
        remaining: What is left for requests of cost 1.
        retry_after: When the same request would be granted if nobody else takes any; 0 when
            it was.
        reset_after: When everything is there again.
        is_guess: The server could not be asked: the limiter's ``outage`` decided.
        is_blocked: The subject was shut out by `RateLimiter.block`.
        tiers: Of several limits each one; ``limit`` to ``reset_after`` are then those of the
            one that refused the request, or has the least left.
    """

    allowed: bool
    limit: int
    window: timedelta
    remaining: int
    retry_after: timedelta
    reset_after: timedelta
    is_guess: bool = False
    is_blocked: bool = False
    tiers: tuple[TierLeft, ...] = ()

    def __bool__(self) -> bool:
        return self.allowed

    def headers(self, policy: str = "default") -> dict[str, str]:
        """HTTP fields for a response, names in their usual spelling.

        ``RateLimit-Policy`` and ``RateLimit`` as in draft-ietf-httpapi-ratelimit-headers-10,
        and ``Retry-After`` of RFC 9110, in whole seconds, for a request that was refused.

        Several limits are named by their own names, all of them in both fields.

        Args:
            policy: Name of the policy: printable ASCII without quotes and backslashes.
        """
        own = TierLeft(policy, self.limit, self.window, self.remaining, self.reset_after)
        shown = self.tiers or (own,)
        for tier in shown:
            name = tier.name
            if not name.isascii() or not name.isprintable() or set(name) & {'"', "\\"}:
                expected = "printable ASCII without quotes and backslashes"
                raise InvalidArgumentValue("Decision.headers", "policy", name, expected)
        found = {
            "RateLimit-Policy": ", ".join(
                f'"{one.name}";q={one.limit};w={_seconds(one.window)}' for one in shown
            ),
            "RateLimit": ", ".join(
                f'"{one.name}";r={one.remaining};t={_seconds(one.reset_after)}' for one in shown
            ),
        }
        if not self.allowed:
            found["Retry-After"] = str(max(_seconds(self.retry_after), 1))
        return found


def _seconds(span: timedelta) -> int:
    return -(-span // timedelta(seconds=1))


class LimitExceeded(RedisLuaError):
    """A request was refused, or would have to wait longer than it may.

    Attributes:
        subject: Whose request.
        decision: What the limiter said last.
    """

    def __init__(self, subject: str, decision: Decision) -> None:
        super().__init__(
            f"{subject!r} is over its limit of {decision.limit} in {decision.window}: "
            f"retry in {decision.retry_after.total_seconds():.3f} s"
        )
        self.subject = subject
        self.decision = decision


class CostTooLarge(RedisLuaError):
    """A request costs more than the rule ever grants at once: waiting will not help.

    Attributes:
        subject: Whose request.
        cost: What it costs.
        most: What is granted at once.
    """

    def __init__(self, subject: str, cost: int, most: int) -> None:
        super().__init__(f"{subject!r} asks for {cost}, and the rule never grants more than {most}")
        self.subject = subject
        self.cost = cost
        self.most = most


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
        self._local: Local | None = local_of(rule) if outage == "local" else None

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
        try:
            blocked, reply = yield from self._asked(call, subject)
        except (NotExecuted, OutcomeUnknown) as error:
            if self._outage == "raise":
                raise
            _log.warning("deciding on %r without the server (%s): %s", subject, self._outage, error)
            return self._guessed(subject, cost, takes=takes)
        for found in (blocked, reply):
            if isinstance(found, scripts.BlockBlocked | scripts.GcraMultiBlocked):
                return self._shut_out(found.retry_after)
        return self._said(reply, subject, cost)

    def _asked(self, call: Call[Any], subject: str) -> Plan[tuple[Any, Any]]:
        """Whether the subject is shut out, if that is asked for, and the reply."""
        if not self._blocks:
            return None, (yield from ask(call))
        found = yield from ask_many(self._block(subject, "check"), call)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return found[0], found[1]

    def _block(
        self, subject: str, mode: Literal["block", "lift", "check"], span: int = 1
    ) -> Call[scripts.BlockReply]:
        return scripts.block(subject=subject, span=span, mode=mode, namespace=self._namespace)

    def _shut_out(self, left: timedelta) -> Decision:
        return Decision(
            allowed=False,
            limit=self._rule.limit,
            window=self._rule.window,
            remaining=0,
            retry_after=left,
            reset_after=left,
            is_blocked=True,
        )

    # --- beside the decisions ------------------------------------------------------------------

    def _gcra(self, method: str) -> Gcra:
        if not isinstance(self._rule, Gcra):
            raise InvalidArgumentType(f"RateLimiter.{method}", "rule", self._rule, "a Gcra rule")
        return self._rule

    def take_up_to(self, subject: str, count: int) -> Plan[Granted]:
        """Take what there is, up to a number."""
        call = self._gcra("take_up_to").up_to(subject, count, self._namespace)
        reply = yield from ask(call)
        if isinstance(reply, scripts.TakeUpToGranted):
            return Granted(reply.granted, reply.remaining, NOW)
        return Granted(0, 0, reply.retry_after)

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
        tiers = tuple(
            TierLeft(
                row.name,
                rule.tiers[row.name].limit,
                rule.tiers[row.name].window,
                row.remaining,
                row.reset_after,
            )
            for row in reply.tiers
        )
        if allowed:
            shown = min(tiers, key=lambda tier: tier.remaining)
        else:
            shown = next(tier for tier in tiers if tier.name == reply.tier)
        return Decision(
            allowed=allowed,
            limit=shown.limit,
            window=shown.window,
            remaining=shown.remaining,
            retry_after=NOW if allowed else reply.retry_after,
            reset_after=shown.reset_after,
            tiers=tiers,
        )

    def _guessed(self, subject: str, cost: int, *, takes: bool) -> Decision:
        allowed, left, retry, reset = self._outage == "allow", 0, self._rule.window, NOW
        if self._local is not None:
            allowed, left, retry, reset = self._local.decide(subject, cost, takes=takes)
        return Decision(
            allowed=allowed,
            limit=self._rule.limit,
            window=self._rule.window,
            remaining=left,
            retry_after=NOW if allowed else retry,
            reset_after=reset,
            is_guess=True,
        )
