"""What `RateLimiter` and `AsyncRateLimiter` do, as plans, and what a decision says."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import OrderedDict
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
from redislua.patterns._limit_rules import Rule
from redislua.patterns._plan import Plan, ask, sleep
from redislua.runtime import Call, encode

__all__ = ["CostTooLarge", "Decision", "LimitExceeded", "LimiterPlans", "Outage"]

_log = logging.getLogger("redislua")

Outage: TypeAlias = Literal["raise", "allow", "deny", "local"]
"""What a limiter does when the server cannot be asked."""

NOW = timedelta(0)
SLACK = 0.01
"""Share by which waits are lengthened at random, so that who waited together asks apart."""

REMEMBERED = 10_000
"""Subjects that a limiter without its server keeps apart in one process."""


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
    """

    allowed: bool
    limit: int
    window: timedelta
    remaining: int
    retry_after: timedelta
    reset_after: timedelta
    is_guess: bool = False

    def __bool__(self) -> bool:
        return self.allowed

    def headers(self, policy: str = "default") -> dict[str, str]:
        """HTTP fields for a response, names in their usual spelling.

        ``RateLimit-Policy`` and ``RateLimit`` as in draft-ietf-httpapi-ratelimit-headers-10,
        and ``Retry-After`` of RFC 9110, in whole seconds, for a request that was refused.

        Args:
            policy: Name of the policy: printable ASCII without quotes and backslashes.
        """
        if not policy.isascii() or not policy.isprintable() or set(policy) & {'"', "\\"}:
            expected = "printable ASCII without quotes and backslashes"
            raise InvalidArgumentValue("Decision.headers", "policy", policy, expected)
        found = {
            "RateLimit-Policy": f'"{policy}";q={self.limit};w={_seconds(self.window)}',
            "RateLimit": f'"{policy}";r={self.remaining};t={_seconds(self.reset_after)}',
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
)
_TOO_LARGE = (
    scripts.GcraTooLarge,
    scripts.TokenBucketTooLarge,
    scripts.SlidingWindowTooLarge,
    scripts.SlidingWindowCounterTooLarge,
)


class LimiterPlans:
    """The plans of one limiter."""

    def __init__(self, rule: Rule, outage: Outage, namespace: str) -> None:
        encode.namespace_prefix("RateLimiter", namespace)
        if outage not in ("raise", "allow", "deny", "local"):
            expected = "raise, allow, deny or local"
            raise InvalidArgumentValue("RateLimiter", "outage", outage, expected)
        rule.take("a", 1, "")  # whatever is wrong with the rule is said now
        self._rule = rule
        self._outage = outage
        self._namespace = namespace
        self._local = _Local(rule) if outage == "local" else None

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
            reply = yield from ask(call)
        except (NotExecuted, OutcomeUnknown) as error:
            if self._outage == "raise":
                raise
            _log.warning("deciding on %r without the server (%s): %s", subject, self._outage, error)
            return self._guessed(subject, cost, takes=takes)
        return self._said(reply, subject, cost)

    def _said(self, reply: Any, subject: str, cost: int) -> Decision:
        if isinstance(reply, _TOO_LARGE) or cost > self._rule.burst:
            raise CostTooLarge(subject, cost, self._rule.burst)
        allowed = not isinstance(reply, _REFUSED)
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


class _Local:
    """The rule's rate for this process alone: GCRA on the process's own clock."""

    def __init__(self, rule: Rule) -> None:
        self._token = rule.window.total_seconds() / rule.limit
        self._burst = rule.burst
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def decide(
        self, subject: str, cost: int, *, takes: bool
    ) -> tuple[bool, int, timedelta, timedelta]:
        """Whether it is granted, what remains, when to retry, when all is there again."""
        with self._lock:
            now = time.monotonic()
            full_at = max(self._full_at.get(subject, now), now)
            wait = full_at + cost * self._token - self._burst * self._token - now
            if wait <= 0 and takes:
                full_at += cost * self._token
                self._full_at[subject] = full_at
                self._full_at.move_to_end(subject)
                if len(self._full_at) > REMEMBERED:
                    self._full_at.popitem(last=False)
        left = max(int((now + self._burst * self._token - full_at) / self._token + 1e-9), 0)
        retry, reset = timedelta(seconds=max(wait, 0)), timedelta(seconds=full_at - now)
        return wait <= 0, left, retry, reset
