"""Limits of one process alone, for while their server cannot be asked."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from redislua.patterns._limit_rules import Rule, Tiers

__all__ = ["Local", "Said"]

REMEMBERED = 10_000
"""Subjects that a limiter without its server keeps apart in one process."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one limit says.

    Attributes:
        allowed: Whether it grants the cost.
        remaining: What is left.
        retry_after: When it would grant it; 0 when it does.
        reset_after: When everything is there again.
    """

    allowed: bool
    remaining: int
    retry_after: timedelta
    reset_after: timedelta


class Local:
    """The limits of a rule for this process alone: GCRA on the process's own clock."""

    def __init__(self, rule: Rule, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Grant everything at first.

        Args:
            rule: The rule.
            clock: Nanoseconds that never go back.
        """
        rules = rule.tiers.values() if isinstance(rule, Tiers) else (rule,)
        self._rates = tuple(_Rate(each) for each in rules)
        self._clock = clock
        self._lock = threading.Lock()

    def decide(self, subject: str, cost: int, *, takes: bool) -> tuple[Said, ...]:
        """What each limit says, in the rule's order.

        Args:
            subject: Whose request.
            cost: What it takes, from all limits or from none.
            takes: Whether it is taken if all of them grant it.
        """
        with self._lock:
            now_ns = self._clock()
            said = tuple(rate.say(subject, cost, now_ns) for rate in self._rates)
            if takes and all(one.allowed for one in said):
                said = tuple(rate.take(subject, cost, now_ns) for rate in self._rates)
            return said

    def take_up_to(self, subject: str, count: int) -> tuple[int, Said]:
        """Take what there is of the only limit: how many, and what it says then."""
        (rate,) = self._rates
        with self._lock:
            now_ns = self._clock()
            said = rate.say(subject, 1, now_ns)
            granted = min(said.remaining, count)
            return granted, rate.take(subject, granted, now_ns) if granted else said


class _Rate:
    """One limit, for a caller that holds the lock.

    Times are counted in parts of a nanosecond, as many as the rule grants tokens in its window,
    so that a token takes a whole number of them: nothing is ever rounded.
    """

    def __init__(self, rule: Rule) -> None:
        self._parts = rule.limit
        self._token = rule.window // timedelta(microseconds=1) * 1_000
        self._burst = rule.burst * self._token
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def say(self, subject: str, cost: int, now_ns: int) -> Said:
        """What it says to a cost."""
        now = now_ns * self._parts
        full_at = max(self._full_at.get(subject, now), now)
        wait = full_at + cost * self._token - self._burst - now
        return Said(
            allowed=wait <= 0,
            remaining=(now + self._burst - full_at) // self._token,
            retry_after=self._span(max(wait, 0)),
            reset_after=self._span(full_at - now),
        )

    def take(self, subject: str, cost: int, now_ns: int) -> Said:
        """Take a cost that it grants."""
        now = now_ns * self._parts
        full_at = max(self._full_at.get(subject, now), now)
        self._full_at[subject] = full_at + cost * self._token
        self._full_at.move_to_end(subject)
        if len(self._full_at) > REMEMBERED:
            self._full_at.popitem(last=False)
        return self.say(subject, 0, now_ns)

    def _span(self, parts: int) -> timedelta:
        """A time that is not shorter than so many parts."""
        return timedelta(microseconds=-(-parts // (self._parts * 1_000)))
