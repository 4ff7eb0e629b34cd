"""`cache.put`: stores whatever is there, and voids what is being fetched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import cache
from redislua.runtime import run

ms = timedelta(milliseconds=1)
ENTRY, CHANNEL = "cache:{k}:entry", "cache:{k}:filled"


def put(value: bytes = b"v", **options: Any) -> Any:
    return cache.put(key="k", value=value, **({"soft": 60_000, "hard": 90_000} | options))


def test_what_is_put_is_served_and_expires(call: Any, client: Any) -> None:
    assert call(put()) == cache.PutStored(replaced=False)
    assert call(put(b"w")) == cache.PutStored(replaced=True)

    reply = call(cache.read(key="k"))

    assert isinstance(reply, cache.ReadHit)
    assert reply.value == b"w"
    assert 50_000 * ms < reply.fresh_for <= 60_000 * ms
    assert 80_000 < client.pttl(ENTRY) <= 90_000
    assert client.keys("*") == [ENTRY.encode()]


def test_a_fetch_that_is_under_way_is_void(call: Any) -> None:
    """P22."""
    call(cache.get_or_lock(key="k", owner="a", hold=60_000))

    call(put(b"new"))
    late = call(cache.fill(key="k", owner="a", value=b"old", soft=60_000, hard=60_000))

    assert late == cache.FillLeaseLost()
    assert call(cache.read(key="k")).value == b"new"


def test_what_was_filled_before_leaves_nothing_behind(call: Any, client: Any) -> None:
    """A resent `fill` of the value before does not find itself in the new one."""
    call(cache.get_or_lock(key="k", owner="a", hold=60_000))
    fill = cache.fill(key="k", owner="a", value=b"v", soft=60_000, hard=60_000)
    call(fill)

    call(put(b"v"))

    assert call(fill) == cache.FillLeaseLost()


def test_the_same_call_again_stores_the_same(call: Any) -> None:
    sample = put()
    call(sample)

    assert call(sample) == cache.PutStored(replaced=True)


def test_an_absence(call: Any) -> None:
    call(put(b"", negative=True))

    assert isinstance(call(cache.read(key="k")), cache.ReadNegative)
    with pytest.raises(cache.BadArgumentError, match="value must be empty"):
        call(put(b"x", negative=True))
    with pytest.raises(cache.BadArgumentError, match="soft"):
        call(put(soft=2, hard=1))


def test_who_waits_hears_of_it(client: Any) -> None:
    with client.pubsub() as ears:
        ears.ssubscribe(CHANNEL)
        assert ears.get_sharded_message(timeout=5)["type"] == "ssubscribe"

        run(client, put())

        assert ears.get_sharded_message(timeout=5)["channel"] == CHANNEL.encode()
