"""`visitors.rollup`: a span has seen whoever its pages have, and nothing else becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from redislua.bindings import visitors
from redislua.errors import OutOfMemory, ScriptError
from redislua.runtime import Call, run
from tests.visitors.test_visitors import HOUR, count, record

INTO = "visitors:{shop}:week"
DAYS = "visitors:{shop}:"


def rollup(*pages: str, into: str = "week", ttl: int = 86_400_000) -> Call[Any]:
    return visitors.rollup(site="shop", into=into, page=pages, ttl=ttl)


def days(call: Any) -> None:
    call(record("ann", "bob", page="mon"))
    call(record("bob", "cid", page="tue"))


def test_a_span_has_seen_whoever_its_pages_have(call: Any, client: Any) -> None:
    days(call)

    assert call(rollup("mon", "tue", "nobody")) == visitors.RollupMerged(3)
    assert call(count("week")) == visitors.CountCounted(3)
    assert call(count("week", "mon")) == visitors.CountCounted(3)
    assert len(client.keys("*")) == 3


def test_what_it_held_before_is_gone(call: Any) -> None:
    days(call)
    call(record("dan", "eve", page="week"))

    assert call(rollup("tue")) == visitors.RollupMerged(2)
    assert call(count("week", "tue")) == visitors.CountCounted(2)


def test_the_same_call_again_gives_the_same_and_an_earlier_one_its_own(call: Any) -> None:
    days(call)
    first, second = rollup("mon"), rollup("mon", "tue")

    for _ in range(2):
        assert call(first) == visitors.RollupMerged(2)
    for _ in range(2):
        assert call(second) == visitors.RollupMerged(3)
    assert call(first) == visitors.RollupMerged(2)
    assert call(count("week")) == visitors.CountCounted(2)


def test_pages_that_nobody_has_seen_make_an_empty_span(call: Any, client: Any) -> None:
    assert call(rollup("mon", "tue")) == visitors.RollupMerged(0)
    assert 0 < client.pttl(INTO) <= 86_400_000


def test_a_span_expires_and_its_pages_keep_their_time(call: Any, client: Any) -> None:
    days(call)

    for ttl in (90_000_000, 80_000_000):
        call(rollup("mon", "tue", ttl=ttl))
        assert ttl - 60_000 < client.pttl(INTO) <= ttl
    for page in ("mon", "tue"):
        assert 0 < client.pttl(DAYS + page) <= HOUR.total_seconds() * 1_000


def test_a_span_that_lost_its_expiry_keeps_what_it_held(
    call: Any, client: Any, dataset: Any
) -> None:
    days(call)
    call(rollup("mon"))
    client.persist(INTO)
    client.set(DAYS + "nov", b"HYLLjunk", px=60_000)
    before = dataset()

    with pytest.raises(ScriptError):
        call(rollup("tue", "nov"))

    assert dataset() == before


def test_a_span_that_is_one_of_its_pages_is_refused(call: Any, dataset: Any) -> None:
    days(call)
    before = dataset()

    with pytest.raises(visitors.BadArgumentError, match="none of the pages"):
        call(rollup("mon", "tue", into="tue"))

    assert dataset() == before


@pytest.mark.parametrize("value", [b"text", b"HYLLjunk", b"HYLL\x01" + b"\x00" * 11 + b"\xff" * 3])
@pytest.mark.parametrize(("place", "is_there"), [("mon", True), ("nov", True), ("nov", False)])
def test_a_page_that_is_no_sketch_leaves_the_span_as_it_was(
    call: Any, client: Any, dataset: Any, value: bytes, place: str, is_there: bool
) -> None:
    """Also one that only looks like a sketch: the server finds out when it reads it."""
    days(call)
    if is_there:
        call(rollup("mon", "tue"))
    client.set(DAYS + place, value, px=60_000)
    before = dataset()

    with pytest.raises(visitors.BadStateError):
        call(rollup("tue", place))

    assert dataset() == before


def test_what_is_no_span_is_not_overwritten(call: Any, client: Any) -> None:
    days(call)
    client.set(INTO, b"text", px=60_000)
    with pytest.raises(visitors.BadStateError):
        call(rollup("mon"))
    assert client.get(INTO) == b"text"

    client.delete(INTO)
    client.hset(INTO, "a", "b")
    with pytest.raises(ScriptError):
        call(rollup("mon"))
    assert client.hgetall(INTO) == {b"a": b"b"}


def test_a_full_server_keeps_the_span_that_it_has(
    client: redis.Redis, make_full: Any, dataset: Any
) -> None:
    for page in ("mon", "tue"):
        run(client, record("ann", page=page))
    run(client, rollup("mon"))
    make_full()
    before = dataset()

    with pytest.raises(OutOfMemory):
        run(client, rollup("mon", "tue"))
    assert dataset() == before


pages = st.sampled_from(["a", "b", "c", "é:2026-11-22"])
some = st.lists(pages, min_size=1, max_size=4)


class Machine(RuleBasedStateMachine):
    """Pages as sets. So few different visitors are counted exactly."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.flushall()
        self.client = client
        self.seen: dict[str, set[str]] = {}

    def union(self, pages: Sequence[str]) -> set[str]:
        return set().union(*(self.seen.get(page, set()) for page in pages))

    @rule(page=pages, ids=st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=5))
    def record(self, page: str, ids: list[str]) -> None:
        is_new = not set(ids) <= self.seen.get(page, set())
        reply = run(self.client, record(*ids, page=page))
        assert isinstance(reply, visitors.RecordChanged) == is_new
        self.seen.setdefault(page, set()).update(ids)

    @rule(into=pages, pages=some)
    def rollup(self, into: str, pages: list[str]) -> None:
        if into in pages:
            with pytest.raises(visitors.BadArgumentError):
                run(self.client, rollup(*pages, into=into))
            return
        self.seen[into] = self.union(pages)
        assert run(self.client, rollup(*pages, into=into)).visitors == len(self.seen[into])

    @rule(pages=some)
    def count(self, pages: list[str]) -> None:
        assert run(self.client, count(*pages)).visitors == len(self.union(pages))


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=40, stateful_step_count=20, deadline=None),
    )
