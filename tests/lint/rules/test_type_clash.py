"""RL407: one key of two types."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('SADD', KEYS[1], 'a')\nredis.call('LPUSH', KEYS[1], 'b')", [2]),
        (
            "local k = KEYS[1]\nredis.call('HSET', k, 'a', 1)\nreturn redis.call('GET', KEYS[1])",
            [3],
        ),
        (
            "redis.call('ZADD', KEYS[1], 1, 'a')\nif ARGV[1] == 'x' then redis.call('SREM', KEYS[1], 'a') end",
            [2],
        ),
        (
            "local c = redis.call\nc('INCR', KEYS[1])\nc('EXPIRE', KEYS[1], 9)\nc('HGET', KEYS[1], 'a')",
            [4],
        ),
        (
            "for i = 1, #KEYS do\nredis.call('ZADD', KEYS[i], 1, 'a')\nend\nredis.call('RPOP', KEYS[1])",
            [4],
        ),
        (
            "for _, k in ipairs(KEYS) do redis.call('SADD', k, 'a') end\nif redis.call('LLEN', KEYS[2]) > 1 then return 1 end",
            [2],
        ),
    ],
)
def test_a_key_of_two_types_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL407") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SADD', KEYS[1], 'a')\nredis.call('LPUSH', KEYS[2], 'b')",
        "redis.call('SADD', KEYS[1], 'a')\nredis.call('DEL', KEYS[1])\nredis.call('LPUSH', KEYS[1], 'b')",
        "redis.call('LPUSH', KEYS[1], 'a')\nredis.call('SET', KEYS[1], 'b')",
        "if ARGV[1] == 'x' then redis.call('SADD', KEYS[1], 'a') else redis.call('LPUSH', KEYS[1], 'b') end",
        "redis.call('SADD', KEYS[1], 'a')\nredis.call('ZUNIONSTORE', KEYS[2], 1, KEYS[1])",
        "redis.call('SET', KEYS[1], 'a')\nredis.call('SETBIT', KEYS[1], 1, 1)\nredis.call('PFCOUNT', KEYS[1])",
        "redis.call('SADD', KEYS[1], 'a')\nreturn redis.pcall('GET', KEYS[1])",
        "redis.call('GEOADD', KEYS[1], 1, 1, 'a')\nreturn redis.call('ZCARD', KEYS[1])",
        "for i = 2, #KEYS do redis.call('ZADD', KEYS[i], 1, 'a') end\nredis.call('RPOP', KEYS[1])",
        "for i = 1, #KEYS do redis.call('ZADD', KEYS[i], 1, 'a') end\nredis.call('ZCARD', KEYS[1])",
        "for i = 1, #KEYS do redis.call('ZADD', KEYS[i], 1, 'a') end\nredis.call('DEL', KEYS[1])\nredis.call('RPUSH', KEYS[1], 1)",
        "for i = 1, #KEYS do if i > 1 then redis.call('SADD', KEYS[i], 'a') end end\nredis.call('RPOP', KEYS[1])",
        "for _, k in ipairs(KEYS) do if k == ARGV[1] then break end redis.call('SADD', k, 'a') end\nredis.call('RPOP', KEYS[1])",
        "for _, k in ipairs(ARGV) do redis.call('SADD', k, 'a') end\nredis.call('RPOP', KEYS[1])",
    ],
)
def test_one_type_or_a_new_value_is_none(lua: str) -> None:
    assert lines(lua, "RL407") == []
