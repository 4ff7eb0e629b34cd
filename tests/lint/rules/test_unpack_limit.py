"""RL504: long tables unpacked."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('SADD', KEYS[1], unpack(ARGV))", [1]),
        ("local m = redis.call('SMEMBERS', KEYS[1])\nredis.call('SADD', KEYS[2], unpack(m))", [2]),
        (
            "local t = {}\nfor _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do t[#t + 1] = m end\nredis.call('SADD', KEYS[2], unpack(t))",
            [3],
        ),
        (
            "local t = {}\nfor i = 2, #ARGV do table.insert(t, ARGV[i]) end\nredis.call('SADD', KEYS[1], unpack(t))",
            [3],
        ),
        ("redis.call('DEL', unpack(redis.call('LRANGE', KEYS[1], 0, -1)))", [1]),
    ],
)
def test_a_table_that_may_be_long_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL504") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('DEL', unpack(KEYS))",
        "redis.call('SADD', KEYS[1], unpack(ARGV, 1, 1000))",
        "redis.call('SADD', KEYS[1], unpack({1, 2, 3}))",
        "redis.call('SADD', KEYS[2], unpack(redis.call('ZRANGE', KEYS[1], 0, 99)))",
        "redis.call('SADD', KEYS[2], unpack(redis.call('ZRANGEBYSCORE', KEYS[1], 0, 9, 'LIMIT', 0, 100)))",
        "local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))",
        "local t = {}\nfor i = 1, 10 do t[i] = ARGV[i] end\nredis.call('SADD', KEYS[1], unpack(t))",
        "local t = {}\nfor i = 1, #ARGV do t[#t + 1] = ARGV[i] if #t == 1000 then redis.call('SADD', KEYS[1], unpack(t)) t = {} end end",
        "if #ARGV > 1000 then return 0 end\nlocal m = redis.call('SRANDMEMBER', KEYS[1], 5)\nredis.call('SADD', KEYS[2], unpack(m))",
    ],
)
def test_a_short_table_or_a_slice_is_none(lua: str) -> None:
    assert lines(lua, "RL504") == []
