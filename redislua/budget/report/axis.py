"""Logarithmic axes: where a value stands, in percent of the axis, and what is written at it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

_FINE = 1e-9  # 1000 is 2.9999999999999996 decades


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis.

    Attributes:
        value: What it stands for.
        at: Percent of the axis.
    """

    value: int
    at: float


@dataclass(frozen=True, slots=True)
class LogAxis:
    """From ``low`` to ``high``, both above zero.

    Attributes:
        low: At 0 percent.
        high: At 100 percent.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float]) -> Self:
        """Whole decades, at least one, that hold all values; those below 1 count as 1."""
        known = [max(value, 1.0) for value in values] or [1.0]
        low = math.floor(math.log10(min(known)) + _FINE)
        high = math.ceil(math.log10(max(known)) - _FINE)
        return cls(10.0**low, 10.0 ** max(high, low + 1))

    @classmethod
    def spanning(cls, values: Iterable[float]) -> Self:
        """From the least to the greatest value, or over one decade where they are the same."""
        known = [max(value, 1.0) for value in values]
        low, high = min(known), max(known)
        return cls(low, high if high > low else low * 10)

    def at(self, value: float) -> float:
        """Where a value stands, in percent; what is outside stands at the end."""
        inside = min(max(value, self.low), self.high)
        share = math.log(inside / self.low) / math.log(self.high / self.low)
        return round(100 * share, 3)

    def marks(self, values: Iterable[int], apart: float) -> tuple[Tick, ...]:
        """A mark at each value, from the last one down; those too close to the next are left out.

        Args:
            values: Ascending.
            apart: Percent of the axis that two marks need between them.
        """
        kept: list[Tick] = []
        for value in sorted(values, reverse=True):
            if not kept or kept[-1].at - self.at(value) >= apart:
                kept.append(Tick(value, self.at(value)))
        return tuple(reversed(kept))

    def decades(self) -> tuple[Tick, ...]:
        """A mark at each power of ten."""
        return tuple(Tick(value, self.at(value)) for value in self._powers())

    def _powers(self) -> Iterator[int]:
        first = math.ceil(math.log10(self.low) - _FINE)
        last = math.floor(math.log10(self.high) + _FINE)
        return (10**power for power in range(first, last + 1))
