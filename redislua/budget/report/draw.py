"""Figures as SVG, by pure functions.

They are drawn in a square of 100 by 100 that the page stretches to its own width, and hold
no text: what is written beside them is HTML, so that it keeps its size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from redislua.budget.model import Histogram, next_bucket
from redislua.budget.report.axis import LogAxis

_THIN = 0.35  # percent of the width: a bar that can still be seen
_HEAD = 6  # percent of the height left free above the highest bar
_OPEN = Markup(
    '<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{label}">'
)
_BAR = Markup('<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>')
_STROKE = Markup('<path class="{kind}" d="{path}" vector-effect="non-scaling-stroke"/>')


def histogram(shown: Histogram, axis: LogAxis, limits: Sequence[int], label: str) -> Markup:
    """Bars of how many calls took how long.

    Heights are logarithmic, so that one call in a thousand is seen.

    Args:
        shown: What to draw.
        axis: Microseconds from left to right.
        limits: The limit and the hard limit: a bar beyond one is of another class.
        label: The same in words.
    """
    most = max((count for _, count in shown.buckets), default=1)
    bars = []
    for floor, count in shown.buckets:
        left, right = axis.at(floor), axis.at(next_bucket(floor))
        width = max(right - left, _THIN)
        height = (100 - _HEAD) * math.log(1 + count) / math.log(1 + most)
        bars.append(
            _BAR.format(
                kind=("within", "over", "beyond")[sum(floor >= limit for limit in limits)],
                x=_number(min(left, 100 - width)),
                y=_number(100 - height),
                width=_number(width),
                height=_number(height),
            )
        )
    return _figure(label, [*bars, *_uprights(axis, limits)])


def span(low: float, mark: float, high: float, axis: LogAxis, limits: Sequence[int]) -> Markup:
    """A line from the median to the maximum with a dot at p99.9, as part of a table's row.

    Args:
        low: Microseconds at which the line begins.
        mark: Where the dot is.
        high: Where the line ends.
        axis: Microseconds from left to right.
        limits: The limit and the hard limit.
    """
    kind = ("within", "over", "beyond")[sum(mark > limit for limit in limits)]
    line = f"M{_number(axis.at(low))} 50H{_number(max(axis.at(high), axis.at(low) + _THIN))}"
    label = "from the median to the maximum, with a dot at p99.9"
    return _figure(
        label,
        [
            *_uprights(axis, limits),
            _stroke(f"reach {kind}", line),
            _stroke(f"dot {kind}", f"M{_number(axis.at(mark))} 50h0"),
        ],
    )


def curve(
    points: Sequence[tuple[int, int]],
    x_axis: LogAxis,
    y_axis: LogAxis,
    allowed: Sequence[tuple[float, float]],
    most: int | None,
    label: str,
) -> Markup:
    """A count against n, both logarithmic.

    Args:
        points: Size and count.
        x_axis: Sizes.
        y_axis: Counts.
        allowed: What the header lets it grow like, as points of a dashed line.
        most: What the count may be at most; None where nothing says so.
        label: The same in words.
    """
    strokes = [_stroke("decade", f"M0 {_up(y_axis, tick.value)}H100") for tick in y_axis.decades()]
    if most is not None:
        strokes.append(_stroke("limit", f"M0 {_up(y_axis, most)}H100"))
    strokes.append(_stroke("allowed", _path(allowed, x_axis, y_axis)))
    strokes.append(_stroke("curve", _path(points, x_axis, y_axis)))
    dots = "".join(f"M{_number(x_axis.at(size))} {_up(y_axis, count)}h0" for size, count in points)
    return _figure(label, [*strokes, _stroke("dot", dots)])


def _uprights(axis: LogAxis, limits: Sequence[int]) -> list[Markup]:
    kinds = ("limit", "hard")
    return [
        _stroke(kind, f"M{_number(axis.at(limit))} 0V100")
        for kind, limit in zip(kinds, limits, strict=True)
    ]


def _path(points: Iterable[tuple[float, float]], x_axis: LogAxis, y_axis: LogAxis) -> str:
    places = [f"{_number(x_axis.at(x))} {_up(y_axis, y)}" for x, y in points]
    return f"M{'L'.join(places)}"


def _up(axis: LogAxis, value: float) -> str:
    """SVG counts downwards."""
    return _number(100 - axis.at(value))


def _stroke(kind: str, path: str) -> Markup:
    return _STROKE.format(kind=kind, path=path)


def _figure(label: str, parts: Iterable[Markup]) -> Markup:
    return _OPEN.format(label=label) + Markup("").join(parts) + Markup("</svg>")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
