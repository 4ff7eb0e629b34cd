"""How a count grows with n: judged by counts, which are exact, and never by time."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from redislua.budget.model import ORDERS, Growth, Order

SLACK = 0.05
"""Share by which a count may miss what fits it: digits of a number, one round more."""


def growth_of(figure: str, points: Sequence[tuple[int, int]]) -> Growth:
    """Fit the counts at two sizes or more.

    Args:
        figure: What is counted.
        points: Size and count, in any order; sizes are at least 1.
    """
    ordered = sorted(points)
    return Growth(figure, tuple(ordered), _order(ordered))


def exceeds(order: Order, declared: str) -> bool:
    """Tell whether a growth is more than the header's."""
    return ORDERS.index(order) > [*ORDERS].index(declared)  # type: ignore[arg-type]


def _order(points: Sequence[tuple[int, int]]) -> Order:
    highest = _rising(points)
    if _is_flat([count for _, count in highest]):
        return "1"
    if _is_logarithmic(highest):
        return "log"
    return "linear" if _is_linear(highest) else "worse"


def _rising(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The greatest count up to each size: what falls again does not grow."""
    highest, rising = 0, []
    for size, count in points:
        highest = max(highest, count)
        rising.append((size, highest))
    return rising


def _is_flat(counts: Sequence[int]) -> bool:
    return counts[-1] - counts[0] <= max(1, SLACK * counts[0])


def _is_logarithmic(points: Sequence[tuple[int, int]]) -> bool:
    """Whether ``a + b log n`` fits within the slack, and better than ``a + b n``.

    Two points tell nothing.
    """
    if len(points) < 3:
        return False
    counts = [count for _, count in points]
    by_log = _misses([math.log2(size) for size, _ in points], counts)
    by_size = _misses([size for size, _ in points], counts)
    fits = all(miss <= max(1, SLACK * count) for miss, count in zip(by_log, counts, strict=True))
    return fits and sum(by_log) < sum(by_size)


def _misses(places: Sequence[float], counts: Sequence[int]) -> list[float]:
    """By how much each count misses the straight line of least squares."""
    line = statistics.linear_regression(places, counts)
    return [
        abs(line.intercept + line.slope * place - count)
        for place, count in zip(places, counts, strict=True)
    ]


def _is_linear(points: Sequence[tuple[int, int]]) -> bool:
    """From no size to the next does the count grow more than the size itself."""
    return all(
        count <= max(before, 1) * (size / smaller) * (1 + 2 * SLACK) + 1
        for (smaller, before), (size, count) in itertools.pairwise(points)
    )
