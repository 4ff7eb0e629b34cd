"""What a limiter says: its decisions, and the errors of those who must not go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redislua.errors import InvalidArgumentValue, RedisLuaError
from redislua.patterns._limit_rules import Rule, fits_a_header

__all__ = [
    "CostTooLarge",
    "Decision",
    "Granted",
    "LimitExceeded",
    "TierLeft",
    "decision_on",
    "least",
    "left_of",
]


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
        is_guess: The server could not be asked: the limiter's ``outage`` decided.
        is_blocked: The subject was shut out by `RateLimiter.block`.
    """

    count: int
    remaining: int
    retry_after: timedelta
    is_guess: bool = False
    is_blocked: bool = False


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
            if not fits_a_header(tier.name):
                expected = "printable ASCII without quotes and backslashes"
                raise InvalidArgumentValue("Decision.headers", "policy", tier.name, expected)
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
        why = f"over its limit of {decision.limit} in {decision.window}"
        if decision.is_blocked:
            why = "shut out"
        seconds = decision.retry_after.total_seconds()
        super().__init__(f"{subject!r} is {why}: retry in {seconds:.3f} s")
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


def left_of(name: str, rule: Rule, said: Any) -> TierLeft:
    """What a limit says of itself; ``said`` has ``remaining`` and ``reset_after``."""
    return TierLeft(name, rule.limit, rule.window, said.remaining, said.reset_after)


def least(tiers: Sequence[TierLeft]) -> TierLeft:
    """The limit that has the least left."""
    return min(tiers, key=lambda tier: tier.remaining)


def decision_on(
    shown: TierLeft, retry_after: timedelta, tiers: Sequence[TierLeft], *, allowed: bool
) -> Decision:
    """A decision that speaks of one limit, and names all where there are several."""
    return Decision(
        allowed=allowed,
        limit=shown.limit,
        window=shown.window,
        remaining=shown.remaining,
        retry_after=retry_after,
        reset_after=shown.reset_after,
        tiers=tuple(tiers),
    )
