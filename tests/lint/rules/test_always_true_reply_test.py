"""RL303: replies that are always true."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if redis.call('EXISTS', KEYS[1]) then return 1 end", [1]),
        ("if not redis.call('SISMEMBER', KEYS[1], ARGV[1]) then return 1 end", [1]),
        ("local n = redis.call('SADD', KEYS[1], ARGV[1])\nif n then return 1 end", [2]),
        ("local new = redis.call('hset', KEYS[1], 'a', 1)\nreturn new and 1 or 0", [2]),
        ("if ARGV[1] == 'x' and redis.call('EXISTS', KEYS[1]) then return 1 end", [1]),
        ("while redis.call('LLEN', KEYS[1]) do redis.call('LPOP', KEYS[1]) end", [1]),
        (
            "local function is_there(k) return redis.call('EXISTS', k) end\nif is_there(KEYS[1]) then return 1 end",
            [2],
        ),
        ("if redis.call('SMEMBERS', KEYS[1]) then return 1 end", [1]),
        ("local all = redis.call('SMEMBERS', KEYS[1])\nif #all then return all end", [2]),
        ("if not #ARGV then return 0 end", [1]),
        ("return #KEYS and 1 or 0", [1]),
    ],
)
def test_a_number_as_a_condition_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL303") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end",
        "if redis.call('GET', KEYS[1]) then return 1 end",
        "if redis.call('SET', KEYS[1], 1, 'NX') then return 1 end",
        "if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end",
        "local ttl = redis.call('PTTL', KEYS[1])\nif ttl and ttl > 0 then return 1 end",
        "local ok = redis.pcall('INCR', KEYS[1])\nif ok then return 1 end",
        "local there = redis.call('EXISTS', KEYS[1]) == 1\nif there then return 1 end",
        "if redis.call('ZRANK', KEYS[1], ARGV[1]) then return 1 end",
        "local n = redis.call('EXISTS', KEYS[1])\nif n > 0 then return n end",
        "if #redis.call('SMEMBERS', KEYS[1]) > 0 then return 1 end",
        "local n = #ARGV\nreturn n",
    ],
)
def test_what_can_be_false_or_is_compared_is_none(lua: str) -> None:
    assert lines(lua, "RL303") == []
