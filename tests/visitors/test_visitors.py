"""The scripts of `visitors`: who was seen counts once, alone and together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.bindings import visitors
from redislua.errors import OutOfMemory, ScriptFault
from redislua.runtime import Call, run

HOUR = timedelta(hours=1)


def record(*ids: str, page: str = "home", ttl: timedelta = HOUR) -> Call[visitors.RecordReply]:
    rows = [visitors.RecordVisitorsRow(one) for one in ids]
    return visitors.record(site="shop", page=page, ttl=ttl, visitors=rows)


def count(*pages: str) -> Call[visitors.CountCounted]:
    return visitors.count(site="shop", page=pages)


def test_a_visitor_counts_once(call: Any) -> None:
    assert call(record("ann", "bob")) == visitors.RecordChanged()
    assert call(record("ann", "bob", "ann")) == visitors.RecordUnchanged()
    assert call(count("home")) == visitors.CountCounted(2)


def test_the_same_call_again_changes_nothing(call: Any, dataset: Any) -> None:
    sample = record("ann", "bob")
    call(sample)
    before = dataset()

    assert call(sample) == visitors.RecordUnchanged()
    assert dataset().keys() == before.keys()


def test_pages_are_counted_as_one_set(call: Any, client: Any) -> None:
    """P18: with no temporary key that two callers could share."""
    call(record("ann", "bob", page="1"))
    call(record("bob", "cid", page="2"))

    assert call(count("1", "2")) == visitors.CountCounted(3)
    assert call(count("1", "2", "nobody")) == visitors.CountCounted(3)
    assert call(count("nobody")) == visitors.CountCounted(0)
    assert len(client.keys("*")) == 2


def test_unions_at_the_same_moment_do_not_disturb_one_another(client: redis.Redis) -> None:
    """P18: of 200 pairs that merged into a key named by the clock 190 were wrong."""
    for page, start in (("a", 0), ("b", 300), ("c", 600), ("d", 900)):
        run(client, record(*(f"v{one}" for one in range(start, start + 300)), page=page))
    alone = {pair: run(client, count(*pair)).visitors for pair in (("a", "b"), ("c", "d"))}

    with ThreadPoolExecutor(4) as threads:
        pairs = [("a", "b"), ("c", "d")] * 100
        found = list(threads.map(lambda pair: run(client, count(*pair)).visitors, pairs))

    assert found == [alone[pair] for pair in pairs]


def test_the_time_to_live_begins_with_the_first_visitor(call: Any, client: Any) -> None:
    call(record("ann"))
    client.pexpire("visitors:{shop}:home", 10_000)

    call(record("bob"))
    assert client.pttl("visitors:{shop}:home") <= 10_000

    client.persist("visitors:{shop}:home")
    call(record("bob"))
    assert 10_000 < client.pttl("visitors:{shop}:home") <= 3_600_000


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.text(min_size=1, max_size=8), min_size=1)),
        max_size=8,
    )
)
def test_small_sets_are_counted_exactly(client: redis.Redis, steps: list[Any]) -> None:
    """A model of sets: below some hundred visitors the estimate is right nearly always."""
    client.flushall()
    seen: dict[str, set[str]] = {page: set() for page in "abc"}
    for page, ids in steps:
        reply = run(client, record(*ids, page=page))
        if set(ids) <= seen[page]:
            assert reply == visitors.RecordUnchanged()
        seen[page] |= set(ids)

    for pages in ("a", "ab", "abc"):
        expected = len(set().union(*(seen[page] for page in pages)))
        assert abs(run(client, count(*pages)).visitors - expected) <= 1


def test_an_estimate_is_within_five_standard_errors(client: redis.Redis) -> None:
    for start in range(0, 20_000, 500):
        run(client, record(*(f"visitor-{one}" for one in range(start, start + 500))))

    assert abs(run(client, count("home")).visitors - 20_000) < 5 * 0.0081 * 20_000


@pytest.mark.parametrize(
    "args", [("60000",), ("60000", "0"), ("60000", "2", "ann"), ("60000", "1", "ann", "bob")]
)
def test_rows_that_are_not_as_many_as_said_are_refused(
    client: redis.Redis, dataset: Any, args: tuple[str, ...]
) -> None:
    script = record("ann").script
    before = dataset()

    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT visitors"):
        client.eval(script.source.decode(), 1, "visitors:{shop}:home", *args)

    assert dataset() == before


def test_a_string_that_is_no_sketch_is_an_error_and_stays(client: redis.Redis) -> None:
    client.set("visitors:{shop}:home", "text", px=60_000)

    for sample in (record("ann"), count("home")):
        with pytest.raises(ScriptFault):
            run(client, sample)

    assert client.get("visitors:{shop}:home") == b"text"


def test_a_full_server_takes_no_more_visitors(client: redis.Redis, make_full: Any) -> None:
    run(client, record("ann"))
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, record("bob"))
