"""The scripts of `bulk`: many documents of one group, each by its version."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import bulk
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run

HOUR = timedelta(hours=1)
Documents = dict[str, tuple[int, bytes]]


def set_if(
    documents: Documents,
    mode: Literal["newer", "absent"] = "newer",
    *,
    whole: bool = False,
    spread: timedelta = timedelta(0),
) -> Call[bulk.SetIfReply]:
    rows = [bulk.SetIfRowsRow(*one) for one in documents.values()]
    return bulk.set_if(
        group="g",
        key=list(documents),
        ttl=HOUR,
        mode=mode,
        all_or_nothing=whole,
        spread=spread,
        rows=rows,
    )


def unlink_if(versions: dict[str, int]) -> Call[bulk.UnlinkIfRemoved]:
    rows = [bulk.UnlinkIfRowsRow(version) for version in versions.values()]
    return bulk.unlink_if(group="g", key=list(versions), rows=rows)


def read(*keys: str) -> Call[bulk.ReadFound]:
    return bulk.read(group="g", key=keys)


def name(key: str) -> str:
    return f"bulk:{{g}}:{key}"


# --- storing --------------------------------------------------------------------------------


def test_an_older_state_of_the_source_overwrites_nothing(call: Any) -> None:
    assert call(set_if({"a": (7, b"seven"), "b": (3, b"three")})) == bulk.SetIfStored(2, ())

    reply = call(set_if({"a": (6, b"six"), "b": (4, b"four")}))

    assert reply == bulk.SetIfStored(1, (bulk.SetIfStoredRow(0, 7),))
    assert call(read("a", "b", "c")) == bulk.ReadFound(
        (bulk.ReadFoundRow(0, 7, b"seven"), bulk.ReadFoundRow(1, 4, b"four"))
    )


def test_the_same_version_with_another_value_is_rejected(call: Any) -> None:
    call(set_if({"a": (7, b"seven")}))

    assert call(set_if({"a": (7, b"other")})) == bulk.SetIfStored(0, (bulk.SetIfStoredRow(0, 7),))


def test_a_call_sent_again_gets_the_same_answer(call: Any, dataset: Any) -> None:
    call(set_if({"b": (9, b"nine")}))
    for mode in ("newer", "absent"):
        mine = set_if({"a": (7, b"seven"), "b": (3, b"three")}, mode)
        first, before = call(mine), dataset()
        assert call(mine) == first
        assert dataset() == before


def test_absent_stores_only_where_nothing_is(call: Any) -> None:
    call(set_if({"a": (7, b"seven")}))

    reply = call(set_if({"a": (8, b"eight"), "b": (1, b"one")}, "absent"))

    assert reply == bulk.SetIfStored(1, (bulk.SetIfStoredRow(0, 7),))


def test_all_or_nothing(call: Any, dataset: Any) -> None:
    call(set_if({"a": (7, b"seven")}))
    before = dataset()

    reply = call(set_if({"b": (1, b"one"), "a": (6, b"six")}, whole=True))

    assert reply == bulk.SetIfRefused((bulk.SetIfRefusedRow(1, 7),))
    assert dataset() == before
    assert call(set_if({"b": (1, b"one"), "a": (8, b"eight")}, whole=True)).stored == 2


def test_expiries_are_spread_evenly(call: Any, client: Any) -> None:
    """So that what was loaded together does not expire together."""
    documents = {str(one): (1, b"x") for one in range(10)}

    call(set_if(documents, spread=HOUR))

    lives = [client.pttl(name(key)) / 60_000 for key in documents]
    assert all(low < high for low, high in itertools.pairwise(lives))
    assert 59 < lives[0] <= 60
    assert 113 < lives[-1] <= 114


# --- removing -------------------------------------------------------------------------------


def test_what_was_stored_since_stays(call: Any, client: Any) -> None:
    call(set_if({"a": (7, b"seven"), "b": (3, b"three"), "c": (1, b"one")}))

    mine = unlink_if({"a": 7, "b": 2, "nobody": 1})
    expected = bulk.UnlinkIfRemoved(2, (bulk.UnlinkIfRemovedRow(1, 3),))
    assert call(mine) == expected
    assert call(mine) == expected
    assert sorted(client.keys("*")) == [name("b").encode(), name("c").encode()]


# --- what may not be ------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("state", ["list", "other hash", "newer format"])
def test_one_key_that_is_not_ours_stops_all(
    client: redis.Redis, dataset: Callable[[], Any], position: int, state: str
) -> None:
    keys = ["a", "b", "c"]
    if state == "list":
        client.rpush(name(keys[position]), "x")
    else:
        client.hset(name(keys[position]), mapping={"v" if state == "newer format" else "?": "2"})
    before = dataset()

    for sample in (
        set_if(dict.fromkeys(keys, (1, b"x"))),
        unlink_if(dict.fromkeys(keys, 9)),
        read(*keys),
    ):
        with pytest.raises(Exception, match=r"wrong kind of value|format"):
            run(client, sample)
        assert dataset() == before


def test_a_full_server_lets_go_and_takes_nothing(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, set_if({"a": (1, b"one"), "b": (1, b"one")}))
    make_full()
    before = dataset()

    with pytest.raises(OutOfMemory):
        run(client, set_if({"c": (1, b"one")}))
    assert dataset() == before
    assert len(run(client, read("a", "b")).rows) == 2
    assert run(client, unlink_if({"a": 1, "b": 1})) == bulk.UnlinkIfRemoved(2, ())


# --- against a model ------------------------------------------------------------------------

KEYS = ("a", "b", "c")
versions = st.integers(0, 5)
documents = st.dictionaries(
    st.sampled_from(KEYS), st.tuples(versions, st.sampled_from([b"", b"x"])), min_size=1
)


class Machine(RuleBasedStateMachine):
    """A dictionary of versions and values."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(*(name(key) for key in KEYS))
        self.client = client
        self.stored: Documents = {}

    @rule(given=documents, mode=st.sampled_from(["newer", "absent"]), whole=st.booleans())
    def set_if(self, given: Documents, mode: Any, whole: bool) -> None:
        rejected = [
            (index, self.stored[key][0])
            for index, (key, one) in enumerate(given.items())
            if key in self.stored
            and one != self.stored[key]
            and (mode == "absent" or one[0] <= self.stored[key][0])
        ]
        is_refused = whole and rejected
        if not is_refused:
            out = {index for index, _ in rejected}
            taken = {key: one for at, (key, one) in enumerate(given.items()) if at not in out}
            self.stored |= taken

        reply = run(self.client, set_if(given, mode, whole=whole))

        assert isinstance(reply, bulk.SetIfRefused) == bool(is_refused)
        assert [(row.index, row.version) for row in reply.rejected] == rejected
        if isinstance(reply, bulk.SetIfStored):
            assert reply.stored == len(given) - len(rejected)

    @rule(given=st.dictionaries(st.sampled_from(KEYS), versions, min_size=1))
    def unlink_if(self, given: dict[str, int]) -> None:
        kept = [
            (index, self.stored[key][0])
            for index, (key, most) in enumerate(given.items())
            if key in self.stored and self.stored[key][0] > most
        ]
        for key, most in given.items():
            if key in self.stored and self.stored[key][0] <= most:
                del self.stored[key]

        reply = run(self.client, unlink_if(given))

        assert reply.gone == len(given) - len(kept)
        assert [(row.index, row.version) for row in reply.kept] == kept

    @invariant()
    def what_is_read_is_what_was_stored_and_it_expires(self) -> None:
        rows = run(self.client, read(*KEYS)).rows
        assert {KEYS[row.index]: (row.version, row.value) for row in rows} == self.stored
        assert all(self.client.pttl(name(key)) > 0 for key in self.stored)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=40, stateful_step_count=25, deadline=None),
    )
