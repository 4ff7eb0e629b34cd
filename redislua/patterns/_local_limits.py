"""Limits of one process alone, for while their server cannot be asked."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Protocol, TypeAlias

from redislua.patterns._limit_rules import Rule, Tiers

__all__ = ["Local", "local_of"]

REMEMBERED = 10_000
"""Subjects that a limiter without its server keeps apart in one process."""

Said: TypeAlias = tuple[bool, int, timedelta, timedelta]
"""Whether it is granted, what remains, when to retry, when all is there again."""


class Local(Protocol):
    """A limiter without a server."""

    def decide(self, subject: str, cost: int, *, takes: bool) -> Said:
        """Decide, and take the cost if it is granted and ``takes``."""


def local_of(rule: Rule) -> Local:
    """A limiter with the rate of a rule."""
    return _OfTiers(rule) if isinstance(rule, Tiers) else _OfRule(rule)


class _OfRule:
    """The rule's rate for this process alone: GCRA on the process's own clock."""

    def __init__(self, rule: Rule) -> None:
        self._token = rule.window.total_seconds() / rule.limit
        self._burst = rule.burst
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def decide(self, subject: str, cost: int, *, takes: bool) -> Said:
        """See `Local`."""
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


class _OfTiers:
    """All of several rates, or none."""

    def __init__(self, rule: Tiers) -> None:
        self._tiers = [_OfRule(each) for each in rule.tiers.values()]
        self._lock = threading.Lock()

    def decide(self, subject: str, cost: int, *, takes: bool) -> Said:
        """See `Local`."""
        with self._lock:
            looked = [tier.decide(subject, cost, takes=False) for tier in self._tiers]
            if not all(allowed for allowed, *_ in looked):
                return max((one for one in looked if not one[0]), key=lambda one: one[2])
            if takes:
                looked = [tier.decide(subject, cost, takes=True) for tier in self._tiers]
        return min(looked, key=lambda one: one[1])
