"""Two snapshots are equal when, and only when, nothing changed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from redislua.probe.snapshot import Snapshot, snapshot
from redislua.server import Server

CHANGES: dict[str, Callable[[redis.Redis], object]] = {
    "a key is added": lambda client: client.set("new", 1),
    "a key is removed": lambda client: client.delete("string"),
    "a value is changed": lambda client: client.set("string", "w"),
    "a field is added": lambda client: client.hset("hash", "g", "1"),
    "a score is changed": lambda client: client.zincrby("zset", 1, "m"),
    "a list is rotated": lambda client: client.lmove("list", "list"),
    "an entry is added": lambda client: client.xadd("stream", {"f": "2"}),
    "an expiry is set": lambda client: client.expire("hash", 1000),
    "an expiry is moved by 1 ms": lambda client: client.pexpireat("expiring", 4102444800001),
    "an expiry is taken away": lambda client: client.persist("expiring"),
    "a key is renamed": lambda client: client.rename("string", "gnirts"),
    "everything is deleted": lambda client: client.flushall(),
}


@pytest.fixture
def filled(client: redis.Redis) -> redis.Redis:
    client.set("string", "v")
    client.set(b"\xff\0 odd", b"\x80")
    client.set("expiring", "v", pxat=4102444800000)
    client.hset("hash", "f", "1")
    client.rpush("list", "a", "b")
    client.sadd("set", "m")
    client.zadd("zset", {"m": 1})
    client.xadd("stream", {"f": "1"})
    return client


def test_reading_changes_nothing(filled: redis.Redis, dataset: Callable[[], Snapshot]) -> None:
    before = dataset()

    filled.hgetall("hash")
    filled.ttl("expiring")
    filled.zscore("zset", "m")
    filled.get("missing")

    assert dataset() == before
    assert len(before) == 8


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_shows(
    filled: redis.Redis,
    dataset: Callable[[], Snapshot],
    change: Callable[[redis.Redis], object],
) -> None:
    before = dataset()

    change(filled)

    assert dataset() != before


def test_a_change_that_is_undone_is_none(
    filled: redis.Redis, dataset: Callable[[], Snapshot]
) -> None:
    before = dataset()

    filled.set("string", "w")
    filled.set("string", "v")

    assert dataset() == before


def test_what_an_entry_says(filled: redis.Redis, dataset: Callable[[], Snapshot]) -> None:
    seen = dataset()

    assert (seen[b"expiring"].kind, seen[b"expiring"].expires_at) == ("string", 4102444800000)
    assert (seen[b"zset"].kind, seen[b"zset"].expires_at) == ("zset", None)
    assert seen[b"\xff\0 odd"].value == filled.dump(b"\xff\0 odd")


def test_an_expired_key_is_not_there(client: redis.Redis, dataset: Callable[[], Snapshot]) -> None:
    client.set("brief", "v", px=1)
    time.sleep(0.005)

    assert dataset() == {}


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decoded", [False, True])
def test_any_client_sees_the_same(
    server: Server, filled: redis.Redis, protocol: int, decoded: bool
) -> None:
    with redis.Redis.from_url(server.url, protocol=protocol, decode_responses=decoded) as other:
        assert snapshot(other) == snapshot(filled)
