"""The scripts of `record`: hashes that are stored whole, changed in part and never come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import record
from redislua.errors import OutOfMemory, WrongType
from redislua.runtime import run
from tests.record.calls import HOUR, KEY, get, increment, patch, put, remove, seen

GREATEST = 2**53 - 1


def lives(client: Any) -> float:
    """Hours that are left."""
    return float(client.pttl(KEY)) / 3_600_000


def gone(call: Any) -> None:
    """Have a record expire."""
    call(put({"name": b"ada"}, ttl=1))
    time.sleep(0.01)


# --- stored whole ---------------------------------------------------------------------------


def test_a_record_that_is_replaced_keeps_no_field_of_the_old_one(call: Any, client: Any) -> None:
    """P23: HSET alone mixes the two."""
    assert call(put({"name": b"ada", "mail": b"a@x"})) == record.PutStored(replaced=False)

    assert call(put({"name": b"\x00\xff"}, ttl=2 * HOUR)) == record.PutStored(replaced=True)

    reply = call(get())
    assert seen(reply) == {"name": b"\x00\xff"}
    assert HOUR < reply.expires_after <= 2 * HOUR
    assert client.hgetall(KEY) == {b"name": b"\x00\xff"}


def test_absent_stores_where_no_record_is(call: Any, dataset: Any) -> None:
    mine = put({"a": b"1", "b": b"2"}, "absent")
    assert call(mine) == record.PutStored(replaced=False)
    before = dataset()

    assert call(mine) == record.PutStored(replaced=False)  # sent again
    for other in (
        {"a": b"1"},
        {"a": b"1", "b": b"3"},
        {"a": b"3", "b": b"2"},
        {"a": b"1", "c": b"2"},
        {"a": b"1", "b": b"2", "c": b""},
    ):
        assert call(put(other, "absent")) == record.PutExists()
    assert dataset() == before


def test_present_stores_where_a_record_is(call: Any, dataset: Any) -> None:
    assert call(put({"a": b"1"}, "present")) == record.PutMissing()
    assert dataset() == {}
    call(put({"a": b"1"}))

    assert call(put({"b": b"2"}, "present")) == record.PutStored(replaced=True)
    assert seen(call(get())) == {"b": b"2"}


def test_a_record_of_the_most_and_the_longest_fields(call: Any) -> None:
    fields = {f"{number:0128d}": b"x" * 4_096 for number in range(64)}

    call(put(fields))

    assert seen(call(get())) == fields
    assert seen(call(get(*fields))) == fields


# --- changed in part ------------------------------------------------------------------------


def test_two_patches_both_have_their_way(call: Any) -> None:
    """P17: read, change and write back loses one of them."""
    call(put({"name": b"ada", "old": b"1"}))
    cart, language = patch({"cart": b"3"}, ["old"]), patch({"lang": b"en"})

    assert call(cart) == record.PatchPatched(2)
    assert call(language) == record.PatchPatched(3)
    assert call(cart) == record.PatchPatched(3)  # sent again
    assert seen(call(get())) == {"name": b"ada", "cart": b"3", "lang": b"en"}


def test_what_has_expired_does_not_come_back_in_part(call: Any, client: Any) -> None:
    """P23: HSET and HINCRBY create a ghost of one field that never expires."""
    gone(call)

    assert call(patch({"name": b"ghost"})) == record.PatchMissing()
    assert call(increment("logins")) == record.IncrementMissing()
    assert call(get()) == record.GetMissing()
    assert not client.exists(KEY)


def test_a_patch_says_what_becomes_of_the_expiry(call: Any, client: Any) -> None:
    call(put({"a": b"1"}))
    for options, hours in (
        ({}, 1),
        ({"ttl": 3 * HOUR}, 3),
        ({"ttl": 2 * HOUR, "renew": "longer"}, 3),
        ({"ttl": 5 * HOUR, "renew": "longer"}, 5),
        ({"ttl": 2 * HOUR}, 2),
    ):
        call(patch({"a": b"2"}, **options))
        assert hours - 0.5 < lives(client) <= hours


def test_the_most_fields_and_one_more(call: Any, client: Any, dataset: Any) -> None:
    call(put({"a": b"1", "b": b"2"}))
    before = dataset()

    assert call(patch({"c": b"3", "d": b"4"}, ["a"], max_fields=2)) == record.PatchTooMany(3)
    assert dataset() == before
    assert call(patch({"c": b"3", "b": b""}, ["a"], max_fields=2)) == record.PatchPatched(2)

    client.hset(KEY, mapping={f"f{number}": "x" for number in range(100)})  # by somebody else
    before = dataset()
    assert call(patch({"e": b"5"})) == record.PatchTooMany(103)
    for sample in (get(), increment("e")):
        with pytest.raises(record.TooLargeError):
            call(sample)
    assert dataset() == before
    assert seen(call(get("b", "f7", "e"))) == {"b": b"", "f7": b"x"}
    assert call(patch({"b": b"2"}, ["f7", "f8", "nobody"])) == record.PatchPatched(100)
    assert call(increment("b")) == record.IncrementAdded(3)


def test_a_record_that_loses_its_last_field_is_gone(call: Any, client: Any) -> None:
    call(put({"a": b"1"}))

    assert call(patch({}, ["a"])) == record.PatchPatched(0)
    assert call(get("a")) == record.GetMissing()
    assert not client.exists(KEY)


def test_a_record_whose_fields_are_all_exchanged_keeps_its_expiry(call: Any, client: Any) -> None:
    call(put({"a": b"1"}))

    assert call(patch({"b": b"2"}, ["a"])) == record.PatchPatched(1)
    assert 0.5 < lives(client) <= 1


# --- counted --------------------------------------------------------------------------------


def test_a_sum_stays_in_its_bounds(call: Any, dataset: Any) -> None:
    call(put({"n": b"5"}))

    assert call(increment(amount=3, cap=8)) == record.IncrementAdded(8)
    before = dataset()
    assert call(increment(amount=1, cap=8)) == record.IncrementCapped(8)
    assert call(increment(amount=-9, floor=0)) == record.IncrementFloored(8)
    assert dataset() == before
    assert call(increment(amount=-1, cap=3)) == record.IncrementAdded(7)  # towards its bounds
    assert call(increment(amount=0, cap=3)) == record.IncrementAdded(7)
    assert call(increment(amount=1, floor=10)) == record.IncrementAdded(8)


def test_integers_are_exact_to_the_last_one(call: Any, client: Any) -> None:
    call(put({"n": b"%d" % (GREATEST - 1), "m": b"%d" % -GREATEST}))

    assert call(increment()) == record.IncrementAdded(GREATEST)
    assert call(increment()) == record.IncrementCapped(GREATEST)
    assert call(increment(amount=GREATEST)) == record.IncrementCapped(GREATEST)
    assert call(increment("m", -1)) == record.IncrementFloored(-GREATEST)
    assert call(increment("m", GREATEST)) == record.IncrementAdded(0)
    assert client.hget(KEY, "n") == b"9007199254740991"


@pytest.mark.parametrize("text", [b"", b"1.5", b"1e3", b"0x10", b" 1", b"nan", b"9007199254740992"])
def test_what_is_no_integer_is_left_alone(call: Any, dataset: Any, text: bytes) -> None:
    call(put({"n": text}))
    before = dataset()

    with pytest.raises(record.NotIntegerError):
        call(increment())

    assert dataset() == before


def test_a_record_is_created_with_its_expiry_where_that_is_wanted(call: Any, client: Any) -> None:
    assert call(increment(create_ttl=HOUR)) == record.IncrementAdded(1)
    assert call(increment(create_ttl=9 * HOUR)) == record.IncrementAdded(2)

    assert 0.5 < lives(client) <= 1
    client.delete(KEY)
    assert call(increment(amount=5, cap=4, create_ttl=HOUR)) == record.IncrementCapped(0)
    assert not client.exists(KEY)


# --- read and removed -----------------------------------------------------------------------


def test_a_field_that_is_missing_is_no_record_that_is_missing(call: Any, client: Any) -> None:
    assert call(get("a")) == record.GetMissing()
    call(put({"a": b"", "b": b"2"}))

    assert seen(call(get("nobody"))) == {}
    assert seen(call(get("b", "nobody", "a"))) == {"a": b"", "b": b"2"}

    client.persist(KEY)
    assert call(get("a")).expires_after is None


def test_a_record_is_removed_once(call: Any, client: Any) -> None:
    call(put({"a": b"1"}))

    assert call(remove()) == record.RemoveRemoved()
    assert call(remove()) == record.RemoveMissing()
    assert not client.exists(KEY)


def test_an_earlier_call_that_comes_late_creates_nothing(call: Any) -> None:
    early = [put({"a": b"1"}, "present"), patch({"a": b"1"}), increment()]
    call(put({"n": b"1"}))
    call(remove())

    assert [type(call(one)) for one in early] == [
        record.PutMissing,
        record.PatchMissing,
        record.IncrementMissing,
    ]


# --- what may not be ------------------------------------------------------------------------

SAMPLES = {
    "put": put({"a": b"1"}),
    "absent": put({"a": b"1"}, "absent"),
    "patch": patch({"a": b"1"}),
    "increment": increment(create_ttl=timedelta(hours=1)),
    "get": get("a"),
    "get all": get(),
    "remove": remove(),
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_key_of_another_type_is_left_alone(
    client: redis.Redis, dataset: Callable[[], Any], sample: Any
) -> None:
    client.rpush(KEY, "x")
    before = dataset()

    with pytest.raises(WrongType):
        run(client, sample)

    assert dataset() == before


LONG = "x" * 4_097
BAD = {
    "put mode": (put({"a": b"1"}), ["1", "other", "1", "a", "1"]),
    "put too few": (put({"a": b"1"}), ["1", "any", "2", "a", "1"]),
    "put none": (put({"a": b"1"}), ["1", "any", "0"]),
    "put field": (put({"a": b"1"}), ["1", "any", "2", "a", "1", "", "2"]),
    "put value": (put({"a": b"1"}), ["1", "any", "2", "a", "1", "b", LONG]),
    "put twice": (put({"a": b"1"}), ["1", "any", "2", "a", "1", "a", "2"]),
    "patch renew": (patch(), ["", "other", "9", "1", "a", "2", "0"]),
    "patch value": (patch(), ["", "always", "9", "1", "a", LONG, "0"]),
    "patch field": (patch(), ["", "always", "9", "0", "1", "x" * 129]),
    "patch both": (patch(), ["", "always", "9", "1", "a", "2", "1", "a"]),
    "patch too few": (patch(), ["", "always", "9", "2", "a", "2", "1", "b"]),
    "increment field": (increment(), ["", "1", "", "", "1"]),
    "increment bounds": (increment(), ["n", "1", "2", "1", "1"]),
    "get too few": (get(), ["2", "a"]),
}


@pytest.mark.parametrize(("sample", "args"), BAD.values(), ids=BAD)
def test_bad_arguments_write_nothing(
    client: redis.Redis, dataset: Callable[[], Any], sample: Any, args: list[str]
) -> None:
    run(client, put({"a": b"1", "n": b"1"}))
    before = dataset()

    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT"):
        client.eval(sample.script.source.decode(), 1, KEY, *args)

    assert dataset() == before


def test_a_full_server_reads_and_removes_and_takes_nothing(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, put({"a": b"1"}))
    make_full()
    before = dataset()

    for sample in (put({"a": b"2"}), patch({"b": b"2"}), increment()):
        with pytest.raises(OutOfMemory):
            run(client, sample)
    assert dataset() == before
    assert seen(run(client, get())) == {"a": b"1"}
    assert run(client, remove()) == record.RemoveRemoved()
