"""P11 to P14, P22: documents and caches that are overwritten, or hold what is no longer so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from redislua.bindings import cache
from redislua.runtime import run

COMPARE_JSON = """
local stored = redis.call('GET', KEYS[1])
if stored and cjson.decode(stored).version ~= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""
"""Compare and set on a number inside a JSON document."""

GREATEST = 9_007_199_254_740_992


def update(**options: Any) -> Any:
    return cache.conditional_update(**({"key": "k", "value": b"new"} | options))


def test_p11_an_update_that_expects_a_version_creates_nothing(client: redis.Redis) -> None:
    script = client.register_script(COMPARE_JSON)
    assert script(keys=["document"], args=[7, "{}"]) == 1
    assert client.exists("document")

    reply = run(client, update(mode="match", expected="7"))

    assert reply == cache.ConditionalUpdateMissing()
    assert not client.exists("cache:{k}:document")


def test_p12_versions_beyond_the_exact_numbers_are_told_apart(client: redis.Redis) -> None:
    script = client.register_script(COMPARE_JSON)
    client.set("document", json.dumps({"version": GREATEST + 1}))
    assert script(keys=["document"], args=[GREATEST, "{}"]) == 1  # another version

    stored = run(client, update(mode="create"))
    assert isinstance(stored, cache.ConditionalUpdateStored)
    other = str(int(stored.version) + 1)
    client.hset("cache:{k}:document", "n", str(GREATEST - 3))

    for expected in (other, str(GREATEST - 2), str(GREATEST + 1)):
        reply = run(client, update(mode="match", expected=expected))
        assert isinstance(reply, cache.ConditionalUpdateConflict)


def test_p13_nothing_equals_nothing_is_no_match(client: redis.Redis) -> None:
    script = client.register_script(COMPARE_JSON)
    client.set("document", json.dumps({"value": "without a version"}))
    assert script(keys=["document"], args=["undefined", "{}"]) == 1  # overwritten

    run(client, update(mode="create"))
    reply = run(client, update(mode="match", expected="undefined"))

    assert isinstance(reply, cache.ConditionalUpdateConflict)


@pytest.mark.parametrize("text", ["5", "null", "not JSON", "[" * 1001 + "]" * 1001])
def test_p13_whatever_the_value_is_it_is_only_bytes(client: redis.Redis, text: str) -> None:
    script = client.register_script(COMPARE_JSON)
    client.set("document", text)
    with pytest.raises(redis.ResponseError):
        script(keys=["document"], args=["7", "{}"])

    stored = run(client, update(mode="create", value=text.encode()))
    assert isinstance(stored, cache.ConditionalUpdateStored)
    again = run(client, update(mode="match", expected=stored.version))

    assert isinstance(again, cache.ConditionalUpdateStored)


def test_p14_no_stored_value_is_decoded_to_be_compared() -> None:
    for script in cache.SCRIPTS:
        assert b"cjson" not in script.source


def test_p22_what_was_read_before_a_change_is_not_stored_after_it(client: redis.Redis) -> None:
    read = "old"  # of the source
    client.delete("naive")  # the source changes, and its cache is invalidated
    client.set("naive", read)
    assert client.get("naive") == b"old"

    run(client, cache.get_or_lock(key="k", owner="a", hold=60_000))
    run(client, cache.invalidate(key="k"))
    late = run(client, cache.fill(key="k", owner="a", value=b"old", soft=60_000, hard=60_000))

    assert late == cache.FillLeaseLost()
    assert run(client, cache.read(key="k")) == cache.ReadMissing()
