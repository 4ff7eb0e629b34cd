"""RL203: elements of KEYS that are no keys."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (
            "local n = tonumber(KEYS[2])\nif redis.call('LLEN', KEYS[1]) < n then redis.call('RPUSH', KEYS[1], ARGV[1]) end",
            [1],
        ),
        ("redis.call('SET', KEYS[1], KEYS[2])", [1]),
        ("redis.call('EXPIRE', KEYS[1], KEYS[2])", [1]),
        ("local key, ttl = KEYS[1], KEYS[2]\nredis.call('SET', key, ARGV[1], 'EX', ttl)", [1]),
        ("local k = KEYS\nredis.call('ZADD', k[1], k[2], ARGV[1])", [2]),
        (
            "local function put(key, value) redis.call('SET', key, value) end\nput(KEYS[1], KEYS[2])",
            [2],
        ),
    ],
)
def test_an_element_of_keys_that_is_no_key_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL203") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SET', KEYS[1], ARGV[1])",
        "redis.call('RPOPLPUSH', KEYS[1], KEYS[2])",
        "redis.call('SADD', KEYS[1], KEYS[2])\nredis.call('DEL', KEYS[2])",
        "for _, k in ipairs(KEYS) do redis.call('DEL', k) end\nredis.call('SET', 'x', KEYS[1])",
        "redis.call('SPUBLISH', KEYS[2], ARGV[1])",
        "redis.call('GET', KEYS[1] .. ':' .. KEYS[2])",
        "redis.call(ARGV[1], KEYS[1])",
        "local t = {KEYS[1]}\nredis.call('DEL', unpack(t))",
        "if KEYS[2] == '' then return 0 end\nreturn redis.call('GET', KEYS[1])",
        "look(KEYS[1])",
    ],
)
def test_an_element_that_is_or_may_be_a_key_is_none(lua: str) -> None:
    assert lines(lua, "RL203") == []
