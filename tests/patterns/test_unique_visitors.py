"""`UniqueVisitors` and `AsyncUniqueVisitors`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import InvalidArgument
from redislua.patterns.unique_visitors import AsyncUniqueVisitors, UniqueVisitors
from tests.patterns.stage import Stage

DAY = timedelta(days=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(ttl=…)`` counts with the surface's kind on an empty server."""
    return lambda site="shop", **options: stage.make(
        UniqueVisitors, AsyncUniqueVisitors, site, **options
    )


def test_who_comes_twice_counts_once(stage: Stage, make: Any) -> None:
    visitors = make()

    assert stage.call(lambda: visitors.record("home", ["ann", "bob", "ann"])) is True
    assert stage.call(lambda: visitors.record("home", ["bob"])) is False
    assert stage.call(lambda: visitors.record("home", [])) is False
    assert stage.call(lambda: visitors.count(["home"])) == 2


def test_many_visitors_at_once_are_near_enough(stage: Stage, make: Any) -> None:
    visitors = make()

    stage.call(lambda: visitors.record("home", (f"v{at}" for at in range(5_000))))

    assert abs(stage.call(lambda: visitors.count(["home"])) - 5_000) < 5 * 0.0081 * 5_000


def test_days_become_a_month(stage: Stage, make: Any, client: Any) -> None:
    visitors = make(ttl=DAY)
    for day in range(5):
        stage.call(partial(visitors.record, f"home:{day}", ["ann", f"v{day}"]))
    days = [f"home:{day}" for day in range(5)]

    assert stage.call(lambda: visitors.count(days)) == 6
    for _ in range(2):
        assert stage.call(lambda: visitors.rollup("home", days, ttl=60 * DAY)) == 6
    assert stage.call(lambda: visitors.count(["home"])) == 6
    assert client.ttl("visitors:{shop}:home") > 59 * 86_400
    assert 0 < client.ttl("visitors:{shop}:home:0") <= 86_400


def test_a_month_of_days_is_counted_and_folded_whole(stage: Stage, make: Any, client: Any) -> None:
    """More pages than one call takes."""
    visitors = make(ttl=DAY)
    days = [f"home:{day}" for day in range(31)]
    for day in days:
        stage.call(partial(visitors.record, day, ["ann", day]))

    assert stage.call(lambda: visitors.count(days)) == 32
    assert stage.call(lambda: visitors.rollup("home", days, ttl=60 * DAY)) == 32
    assert stage.call(lambda: visitors.count(["home", *days])) == 32
    parts = [key for key in client.keys("*") if b":part:" in key]
    assert parts
    assert all(0 < client.pttl(key) <= 60_000 for key in parts)
    assert client.ttl("visitors:{shop}:home") > 59 * 86_400


def test_months_counted_at_the_same_time_do_not_disturb_one_another(
    stage: Stage, make: Any
) -> None:
    """P18: what is made for one count is named by what is in it."""
    visitors = make()
    for day in range(40):
        stage.call(partial(visitors.record, f"{day}", [f"v{day}"]))
    spans = [[f"{day}" for day in range(first, first + 20)] for first in (0, 7, 20)]

    found = stage.together(*[partial(visitors.count, span) for span in spans * 5])

    assert found == [20] * 15


@pytest.mark.parametrize("count", [0, 257])
def test_no_pages_and_too_many_are_refused(stage: Stage, make: Any, count: int) -> None:
    pages = [f"{day}" for day in range(count)]

    with pytest.raises(InvalidArgument, match="page"):
        stage.call(lambda: make().count(pages))
    with pytest.raises(InvalidArgument, match="page"):
        stage.call(lambda: make().rollup("all", pages, ttl=DAY))


@pytest.mark.parametrize("count", [2, 20])
def test_a_span_is_none_of_its_pages(stage: Stage, make: Any, count: int) -> None:
    pages = [f"{day}" for day in range(count)]

    with pytest.raises(InvalidArgument, match="into"):
        stage.call(lambda: make().rollup("1", pages, ttl=DAY))


def test_spans_of_one_site_are_counted_at_the_same_time(stage: Stage, make: Any) -> None:
    """P18: no temporary key that two callers could share."""
    visitors = make()
    for page, ids in (("a", range(5)), ("b", range(3, 9)), ("c", range(20))):
        stage.call(partial(visitors.record, page, [f"v{at}" for at in ids]))

    pairs = [("a", "b"), ("b", "c"), ("a", "c")] * 10
    found = stage.together(*[partial(visitors.count, list(pair)) for pair in pairs])

    assert found == [9, 20, 20] * 10


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ttl": timedelta(0)}, "ttl"),
        ({"site": "a{b"}, "site"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, options: Any, named: str
) -> None:
    with pytest.raises((InvalidArgument, ValueError), match=named):
        make(**options)
