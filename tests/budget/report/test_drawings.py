"""Axes and figures: where things stand, and what is said beside their colour."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from redislua.budget.model import Histogram
from redislua.budget.report import draw, figures
from redislua.budget.report.axis import LogAxis

LIMITS = (1_000, 5_000)
SVG = ElementTree.Element


def drawn(text: str) -> SVG:
    return ElementTree.fromstring(text)  # noqa: S314 - we have drawn it


def test_decades_are_equally_far_apart():
    axis = LogAxis.around([3, 800])

    assert [(tick.value, tick.at) for tick in axis.decades()] == [
        (1, 0),
        (10, pytest.approx(33.333)),
        (100, pytest.approx(66.667)),
        (1_000, 100),
    ]


def test_values_outside_an_axis_stand_at_its_ends():
    axis = LogAxis(10, 1_000)

    assert [axis.at(value) for value in (0, 5, 10, 100, 1_000, 9_999)] == [0, 0, 0, 50, 100, 100]


@pytest.mark.parametrize("values", [[0], [7], [1, 1], []])
def test_an_axis_is_never_empty(values: list[int]):
    assert LogAxis.around(values).decades()[-1].at == 100
    assert LogAxis.spanning(values or [0]).high > LogAxis.spanning(values or [0]).low


def test_marks_that_are_too_close_give_way_to_the_last():
    axis = LogAxis.spanning([1, 4_000])

    assert [mark.value for mark in axis.marks([1, 10, 100, 1_000, 4_000], 22)] == [
        1,
        10,
        100,
        4_000,
    ]


def test_a_bar_stands_for_each_bucket_and_is_of_the_class_of_its_limit():
    shown = Histogram.of([3] * 900 + [100] * 90 + [2_000] * 9 + [7_000])

    svg = drawn(draw.histogram(shown, LogAxis(1, 10_000), LIMITS, "n=1"))

    bars = [bar for bar in svg if bar.tag == "rect"]
    assert [bar.get("class") for bar in bars] == ["within", "within", "over", "beyond"]
    heights = [float(bar.get("height", "")) for bar in bars]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] > 5  # one call of a thousand is seen


def test_lines_stand_at_both_limits():
    svg = drawn(draw.histogram(Histogram.of([3]), LogAxis(1, 10_000), LIMITS, "n=1"))

    lines = {line.get("class"): line.get("d") for line in svg if line.tag == "path"}
    assert lines == {"limit": "M75 0V100", "hard": "M92.47 0V100"}


def test_bars_stay_inside_whatever_the_time():
    shown = Histogram.of([0, 1, 123_456])

    svg = drawn(draw.histogram(shown, LogAxis(1, 1_000), LIMITS, "n=1"))

    for bar in (bar for bar in svg if bar.tag == "rect"):
        assert float(bar.get("x", "")) >= 0
        assert float(bar.get("x", "")) + float(bar.get("width", "")) <= 100


def test_a_figure_says_in_words_what_it_shows():
    svg = drawn(draw.histogram(Histogram.of([3]), LogAxis(1, 10), LIMITS, 'n="1" & <more>'))

    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'n="1" & <more>'


def test_a_curve_goes_up_where_counts_do():
    sizes, counts = LogAxis(1, 100), LogAxis(1, 100)

    svg = drawn(draw.curve([(1, 1), (10, 10), (100, 100)], sizes, counts, [(1, 1)], 10, "calls"))

    lines = {line.get("class"): line.get("d") for line in svg}
    assert lines["curve"] == "M0 100L50 50L100 0"
    assert lines["limit"] == "M0 50H100"


def test_the_line_of_the_index_runs_from_the_median_to_the_maximum():
    svg = drawn(draw.span(10, 100, 2_000, LogAxis(1, 10_000), LIMITS))

    lines = {line.get("class"): line.get("d") for line in svg}
    assert lines["reach within"] == "M25 50H82.53"
    assert lines["dot within"] == "M50 50h0"


def test_numbers_are_grouped_and_times_have_units():
    assert figures.exact(1_234_567).text == "1\u202f234\u202f567"
    assert figures.exact(1234.5).text == "1\u202f234.5"
    assert figures.milli(47.5).text == "0.048"
    assert [figures.duration(us) for us in (50, 1_000, 1_500)] == [
        "50\u202fµs",
        "1\u202fms",
        "1.5\u202fms",
    ]
