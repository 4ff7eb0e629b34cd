"""How much a subject may take: a rule for each algorithm of `limit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from redislua.bindings import limit as scripts
from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.runtime import Call

__all__ = [
    "Gcra",
    "Quota",
    "Rule",
    "SlidingWindow",
    "Tiers",
    "TokenBucket",
    "WindowCounter",
    "fits_a_header",
]

MOST_TIERS = 8
"""Limits of one subject in one call, as its script takes them."""


def fits_a_header(name: object) -> bool:
    """Whether a name may stand between quotes in an HTTP field."""
    if not isinstance(name, str) or not name.isascii() or not name.isprintable():
        return False
    return not set(name) & {'"', "\\"}


class Rule(Protocol):
    """How much a subject may take.

    Attributes:
        limit: What is granted in a window.
        window: The window.
        burst: What is granted at once.
    """

    @property
    def limit(self) -> int: ...

    @property
    def window(self) -> timedelta: ...

    @property
    def burst(self) -> int: ...

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        """The call that takes."""

    def look(self, subject: str, cost: int, namespace: str) -> Call[Any] | None:
        """The call that only looks; None where the rule's script has no such mode."""


@dataclass(frozen=True, slots=True)
class Gcra:
    """``limit`` in each ``period``, evenly, and up to ``burst`` at once: `limit.gcra`.

    One key of some 80 bytes for each subject. The rule to begin with.

    Attributes:
        limit: What a subject earns in a period.
        period: The period.
        burst: What it may take at once after a rest; ``limit`` when 0.
        max_debt: What it may owe after `RateLimiter.settle`.
    """

    limit: int
    period: timedelta
    burst: int = 0
    max_debt: int = 0

    def __post_init__(self) -> None:
        if self.burst == 0:
            object.__setattr__(self, "burst", self.limit)

    @property
    def window(self) -> timedelta:
        return self.period

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "consume")

    def look(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "peek")

    def _call(
        self, subject: str, cost: int, namespace: str, mode: Literal["consume", "peek"]
    ) -> Call[Any]:
        return scripts.gcra(
            subject=subject,
            limit=self.limit,
            period=self.period,
            burst=self.burst,
            cost=cost,
            mode=mode,
            max_debt=self.max_debt,
            namespace=namespace,
        )

    def up_to(self, subject: str, count: int, namespace: str) -> Call[scripts.TakeUpToReply]:
        """The call that takes what there is."""
        return scripts.take_up_to(
            subject=subject,
            limit=self.limit,
            period=self.period,
            burst=self.burst,
            count=count,
            max_debt=self.max_debt,
            namespace=namespace,
        )

    def settle(
        self, subject: str, delta: int, token: str | None, namespace: str
    ) -> Call[scripts.SettleReply]:
        """The call that corrects a charge."""
        return scripts.settle(
            subject=subject,
            limit=self.limit,
            period=self.period,
            burst=self.burst,
            max_debt=self.max_debt,
            delta=delta,
            token=token,
            namespace=namespace,
        )


@dataclass(frozen=True, slots=True)
class Tiers:
    """Several limits of one subject in one call, all or nothing: `limit.gcra_multi`.

    ``Tiers(second=Gcra(10, SECOND), day=Gcra(5_000, DAY))``. A request takes its cost from each.

    Attributes:
        tiers: Up to eight `Gcra` rules without debt, by name: printable ASCII without quotes
            and backslashes, which `Decision.headers` shows.

    Raises:
        InvalidArgument: There are none or too many, or one is no such rule or name.
    """

    tiers: Mapping[str, Gcra]

    def __init__(self, tiers: Mapping[str, Gcra] | None = None, /, **named: Gcra) -> None:
        found = {**(tiers or {}), **named}
        if not 1 <= len(found) <= MOST_TIERS:
            raise InvalidArgumentValue("Tiers", "tiers", len(found), f"1 to {MOST_TIERS} rules")
        for name, rule in found.items():
            if not fits_a_header(name):
                expected = "names of printable ASCII without quotes and backslashes"
                raise InvalidArgumentValue("Tiers", "tiers", name, expected)
            if not isinstance(rule, Gcra) or rule.max_debt:
                raise InvalidArgumentType("Tiers", name, rule, "a Gcra rule without max_debt")
        object.__setattr__(self, "tiers", found)

    @property
    def limit(self) -> int:
        return self._tightest.limit

    @property
    def window(self) -> timedelta:
        return self._tightest.period

    @property
    def burst(self) -> int:
        return self._tightest.burst

    @property
    def _tightest(self) -> Gcra:
        """The one that grants the least at once: no request may cost more."""
        return min(self.tiers.values(), key=lambda rule: rule.burst)

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "consume")

    def look(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "peek")

    def _call(
        self, subject: str, cost: int, namespace: str, mode: Literal["consume", "peek"]
    ) -> Call[Any]:
        rows = [
            scripts.GcraMultiTiersRow(name, rule.limit, rule.period, rule.burst, cost)
            for name, rule in self.tiers.items()
        ]
        return scripts.gcra_multi(subject=subject, mode=mode, tiers=rows, namespace=namespace)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of ``capacity`` that gains ``refill`` in each ``period``: `limit.token_bucket`.

    Attributes:
        capacity: Tokens of a full bucket.
        refill: Tokens that come in a period, at least 1.
        period: The period.
    """

    capacity: int
    refill: int
    period: timedelta

    def __post_init__(self) -> None:
        if self.refill == 0:  # which the script takes, but only with an expiry that fills it
            raise InvalidArgumentValue("TokenBucket", "refill", 0, "at least 1")

    @property
    def limit(self) -> int:
        return self.refill

    @property
    def window(self) -> timedelta:
        return self.period

    @property
    def burst(self) -> int:
        return self.capacity

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "consume")

    def look(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "peek")

    def _call(
        self, subject: str, cost: int, namespace: str, mode: Literal["consume", "peek"]
    ) -> Call[Any]:
        return scripts.token_bucket(
            subject=subject,
            capacity=self.capacity,
            refill=self.refill,
            period=self.period,
            cost=cost,
            mode=mode,
            namespace=namespace,
        )


@dataclass(frozen=True, slots=True)
class _Window:
    """A limit for a span of time.

    Attributes:
        limit: What is granted in a window, and at once.
        window: The window.
    """

    limit: int
    window: timedelta

    @property
    def burst(self) -> int:
        return self.limit


class SlidingWindow(_Window):
    """Never more than ``limit`` in any ``window``, exactly: `limit.sliding_window`.

    Every grant is kept for a window, so it is for small limits (up to 4 000). There is no
    looking without taking.
    """

    __slots__ = ()

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return scripts.sliding_window(
            subject=subject, limit=self.limit, period=self.window, cost=cost, namespace=namespace
        )

    def look(self, subject: str, cost: int, namespace: str) -> None:
        del subject, cost, namespace


class WindowCounter(_Window):
    """About ``limit`` in any ``window``, from two counters: `limit.sliding_window_counter`."""

    __slots__ = ()

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "consume")

    def look(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return self._call(subject, cost, namespace, "peek")

    def _call(
        self, subject: str, cost: int, namespace: str, mode: Literal["consume", "peek"]
    ) -> Call[Any]:
        return scripts.sliding_window_counter(
            subject=subject,
            limit=self.limit,
            period=self.window,
            cost=cost,
            mode=mode,
            namespace=namespace,
        )


class Quota(_Window):
    """``limit`` from the first request on until ``window`` is over: `limit.increment_with_limit`.

    For budgets. Up to twice the limit may fall into a span of one window's length. There is no
    looking without taking.
    """

    __slots__ = ()

    def take(self, subject: str, cost: int, namespace: str) -> Call[Any]:
        return scripts.increment_with_limit(
            subject=subject, limit=self.limit, window=self.window, amount=cost, namespace=namespace
        )

    def look(self, subject: str, cost: int, namespace: str) -> None:
        del subject, cost, namespace
