"""P17, P21, P23: objects that are changed in part, and many values in one pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import bulk, record
from redislua.errors import InvalidArgument, OutOfMemory, WrongType
from redislua.patterns.cache import ABSENT, Cache, Failed, Found, Missing
from redislua.patterns.record_store import RecordStore
from redislua.runtime import run

HOUR = timedelta(hours=1)
KEY = "record:{k}:fields"


@dataclass(frozen=True)
class Visitor:
    """Whose fields several callers change."""

    cart: int = 0
    lang: str = ""
    mail: str | None = None


def set_many(client: redis.Redis, values: Mapping[str, str], seconds: Any = 60) -> list[Any]:
    """Many values in one pipeline, as it is mostly written: nobody looks at the results."""
    pipe = client.pipeline(transaction=False)
    for key, value in values.items():
        pipe.execute_command("SET", key, value, "EX", seconds)
    return pipe.execute(raise_on_error=False)


def get_many(client: redis.Redis, *keys: str) -> list[Any]:
    """The same for reading: what is an error is taken for a miss."""
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.get(key)
    found = pipe.execute(raise_on_error=False)
    return [json.loads(one) if isinstance(one, bytes) else None for one in found]


# --- objects --------------------------------------------------------------------------------


def test_p17_two_who_change_different_fields_both_have_their_way(client: redis.Redis) -> None:
    """Read the whole, change it, write the whole: of two the first is lost."""
    client.set("naive", json.dumps({}), ex=60)
    first, second = (json.loads(client.get("naive") or b"") for _ in range(2))
    client.set("naive", json.dumps(first | {"cart": 1}), ex=60)
    client.set("naive", json.dumps(second | {"lang": "en"}), ex=60)
    assert json.loads(client.get("naive") or b"") == {"lang": "en"}

    visitors = RecordStore(client, Visitor)
    visitors.put("k", Visitor())
    one, other = RecordStore(client, Visitor), RecordStore(client, Visitor)
    assert (one.get("k"), other.get("k")) == (Visitor(), Visitor())
    one.patch("k", cart=1)
    other.patch("k", lang="en")

    assert visitors.get("k") == Visitor(1, "en")


def test_p17_a_change_prolongs_nothing_unless_it_is_told_to(client: redis.Redis) -> None:
    """Written back with its first lifetime, what was to end in 5 s lives for 100."""
    client.set("naive", "{}", ex=5)
    client.set("naive", "{}", ex=100)
    assert client.ttl("naive") > 5

    RecordStore(client, Visitor, ttl=timedelta(seconds=5)).put("k", Visitor())
    RecordStore(client, Visitor, ttl=HOUR).patch("k", cart=1)

    assert 0 < client.pttl(KEY) <= 5_000


def test_p23_what_has_expired_does_not_come_back_in_part(client: redis.Redis) -> None:
    """HSET and HINCRBY on what is gone make a ghost of a field or two that never expires."""
    for naive in ("naive", KEY):
        client.hset(naive, mapping={"name": "ada", "mail": "a@x", "logins": "7"})
        client.pexpire(naive, 1)
    time.sleep(0.01)
    client.hset("naive", "name", "ghost")
    client.hincrby("naive", "logins", 1)
    assert client.hgetall("naive") == {b"name": b"ghost", b"logins": b"1"}
    assert client.ttl("naive") == -1

    patched = run(client, record.patch(key="k", sets={"name": b"ghost"}, deletes=[]))
    added = run(client, record.increment(key="k", field="logins"))

    assert patched == record.PatchMissing()
    assert added == record.IncrementMissing()
    assert not client.exists(KEY)


def test_p23_a_record_that_is_replaced_is_not_mixed_with_the_old_one(client: redis.Redis) -> None:
    client.hset("naive", mapping={"name": "ada", "mail": "a@x"})
    client.hset("naive", mapping={"name": "bob"})
    assert client.hget("naive", "mail") == b"a@x"  # who is bob?

    run(client, record.put(key="k", ttl=HOUR, fields={"name": b"ada", "mail": b"a@x"}))
    run(client, record.put(key="k", ttl=HOUR, fields={"name": b"bob"}))

    assert client.hgetall(KEY) == {b"name": b"bob"}


def test_p23_no_moment_passes_without_an_expiry(client: redis.Redis) -> None:
    """HSET, then EXPIRE: what comes to an end in between leaves a record for ever."""
    client.hset("naive", "name", "ada")
    with pytest.raises(redis.ResponseError):
        client.execute_command("EXPIRE", "naive", "1.5")
    assert client.ttl("naive") == -1

    call = record.put(key="k", ttl=HOUR, fields={"name": b"ada"})
    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT ttl"):
        client.eval(call.script.source.decode(), 1, KEY, "1.5", *call.args[1:])

    assert not client.exists(KEY)


def test_p23_a_counter_with_a_fraction_is_said_to_be_none(client: redis.Redis) -> None:
    fields = {"n": b"1.5", "m": b"9007199254740993"}
    client.hset("naive", mapping=fields)  # type: ignore[arg-type]  # bytes will do
    lossy = "return redis.call('HINCRBY', KEYS[1], 'm', 0)"
    assert client.eval(lossy, 1, "naive") != 9_007_199_254_740_993  # by a script

    run(client, record.put(key="k", ttl=HOUR, fields=fields))
    for field in fields:
        with pytest.raises(record.NotIntegerError):
            run(client, record.increment(key="k", field=field))

    assert client.hget(KEY, "m") == b"9007199254740993"


# --- many at once ---------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 60.5])
def test_p21_what_is_not_stored_is_not_said_to_be(client: redis.Redis, seconds: float) -> None:
    results = set_many(client, {"a": "1", "b": "2"}, seconds)
    assert all(isinstance(one, redis.ResponseError) for one in results)  # and nobody looks
    assert not client.exists("a", "b")

    if not seconds:
        with pytest.raises(InvalidArgument):
            Cache(client, ttl=timedelta(seconds=seconds))
        return
    cache: Cache[Any] = Cache(client, ttl=timedelta(seconds=seconds))
    assert cache.set_many({"a": 1, "b": 2}).done == 2
    assert cache.get_many(["a", "b"]) == {"a": Found(1), "b": Found(2)}


def test_p21_a_full_server_is_told_of_for_each_key(
    client: redis.Redis, make_full: Callable[[], None]
) -> None:
    make_full()
    results = set_many(client, {"a": "1"})
    assert isinstance(results[0], redis.ResponseError)

    cache: Cache[Any] = Cache(client)
    written = cache.set_many({"a": 1, "b": 2})

    assert written.done == 0
    assert {type(error) for error in written.failed.values()} == {OutOfMemory}


def test_p21_one_bad_entry_takes_no_other_with_it(client: redis.Redis) -> None:
    set_many(client, {"a": "1", "bad": "", "c": "3"})
    with pytest.raises(json.JSONDecodeError):
        get_many(client, "a", "bad", "c")  # all three are lost

    cache: Cache[Any] = Cache(client)
    cache.set_many({"a": 1, "bad": 2, "c": 3})
    client.hset("cache:{bad}:entry", "d", "{")
    found = cache.get_many(["a", "bad", "c"])

    assert (found["a"], found["c"]) == (Found(1), Found(3))
    assert isinstance(found["bad"], Failed)


def test_p21_a_key_of_another_type_is_no_miss(client: redis.Redis) -> None:
    client.rpush("list", "x")
    client.rpush("cache:{list}:entry", "x")
    client.rpush("record:{list}:fields", "x")
    assert get_many(client, "list", "nobody") == [None, None]

    cache: Cache[Any] = Cache(client)
    found = cache.get_many(["list", "nobody"])
    records = RecordStore(client, Visitor).many(["list", "nobody"])

    assert isinstance(found["list"], Failed)
    assert isinstance(found["list"].error, WrongType)
    assert found["nobody"] == Missing()
    assert isinstance(records["list"], Failed)
    assert records["nobody"] is None


def test_p21_an_absence_that_is_known_is_no_miss(client: redis.Redis) -> None:
    """A cached null, read as a miss, is fetched again and again."""
    set_many(client, {"a": "null"})
    assert get_many(client, "a", "b") == [None, None]

    cache: Cache[Any] = Cache(client)
    cache.set_many({"a": ABSENT, "c": None})

    assert cache.get_many(["a", "b", "c"]) == {"a": ABSENT, "b": Missing(), "c": Found(None)}


def test_p21_what_is_stored_together_does_not_expire_together(client: redis.Redis) -> None:
    keys = [str(number) for number in range(10)]
    set_many(client, dict.fromkeys(keys, "1"))
    assert len({client.expiretime(key) for key in keys}) <= 2

    rows = [bulk.SetIfRowsRow(1, b"1")] * 10
    run(client, bulk.set_if(group="g", key=keys, ttl=HOUR, spread=HOUR, rows=rows))

    assert len({client.expiretime(f"bulk:{{g}}:{key}") for key in keys}) == 10


def test_p22_of_many_that_were_read_before_a_change_none_overwrites_it(
    client: redis.Redis,
) -> None:
    read = {"a": "old", "b": "old"}  # of the source, which then changes
    set_many(client, {"a": "new"})
    set_many(client, read)
    assert client.get("a") == b"old"

    def stored(key: list[str], *rows: tuple[int, bytes]) -> Any:
        documents = [bulk.SetIfRowsRow(*row) for row in rows]
        return run(client, bulk.set_if(group="g", key=key, ttl=HOUR, rows=documents))

    stored(["a"], (8, b"new"))
    late = stored(["a", "b"], (7, b"old"), (3, b"old"))

    assert late == bulk.SetIfStored(1, (bulk.SetIfStoredRow(0, 8),))
    found = run(client, bulk.read(group="g", key=["a", "b"]))
    assert [row.value for row in found.rows] == [b"new", b"old"]
