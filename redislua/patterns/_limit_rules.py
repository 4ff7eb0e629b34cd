"""How much a subject may take: a rule for each algorithm of `limit`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from redislua.bindings import limit as scripts
from redislua.runtime import Call

__all__ = ["Gcra", "Quota", "Rule", "SlidingWindow", "TokenBucket", "WindowCounter"]


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
    """

    limit: int
    period: timedelta
    burst: int = 0

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
            namespace=namespace,
        )


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of ``capacity`` that gains ``refill`` in each ``period``: `limit.token_bucket`.

    Attributes:
        capacity: Tokens of a full bucket.
        refill: Tokens that come in a period.
        period: The period.
    """

    capacity: int
    refill: int
    period: timedelta

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
