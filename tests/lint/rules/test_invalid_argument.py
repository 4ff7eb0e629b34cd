"""What is neither a string nor a number."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('SET', KEYS[1], nil)", [1]),
    ("redis.call('SET', KEYS[1], ARGV[1] > ARGV[2])", [1]),
    ("redis.call('SET', KEYS[1], true)", [1]),
    ("redis.call('SADD', KEYS[1], {'a', 'b'})", [1]),
    ("local x\nredis.call('SET', KEYS[1], x)", [2]),
    ("redis.call('SET', KEYS[1], not ARGV[1])", [1]),
    ("local t = redis.call('HGETALL', KEYS[1])\nredis.call('SET', KEYS[2], t)", [2]),
    ("local f = function() end\nredis.call('SET', KEYS[1], f)", [2]),
    ("redis.pcall('SADD', KEYS[1], ARGV)", [1]),
    ("local t = cjson.decode(ARGV[1])\nt.seen = 1\nredis.call('SET', KEYS[1], t)", [3]),
    (
        """local t = cmsgpack.unpack(ARGV[1])
           for k, v in pairs(t) do redis.call('HSET', KEYS[1], k, v) end
           return redis.call('SET', KEYS[2], t)""",
        [3],
    ),
    ("redis.call('EXPIRE', KEYS[1], ARGV[1] or nil)", [1]),
    ("local ttl = tonumber(ARGV[1]) or nil\nredis.call('EXPIRE', KEYS[1], ttl)", [2]),
    ("local v = ARGV[2] == 'x' and ARGV[1] or nil\nredis.call('SET', KEYS[1], v)", [2]),
]

SILENT = [
    "redis.call('SET', KEYS[1], ARGV[1] == 'x' and 1 or 0)",
    "redis.call('SET', KEYS[1], ARGV[2])",
    "redis.call('SADD', KEYS[1], unpack(ARGV))",
    "redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]))",
    "local x if ARGV[1] then x = 1 end redis.call('SET', KEYS[1], x)",
    "local function f(v) redis.call('SET', KEYS[1], v) end f(1)",
    "redis.call('SET', KEYS[1], tostring(true))",
    "local t = {} t.x = 1 redis.call('SET', KEYS[1], t.x)",
    "local t = {} t.x = ARGV[1] redis.call('SET', KEYS[1], t.y)",
    "redis.call('SET', KEYS[1], 1.5)",
    "local t = cjson.decode(ARGV[1])\nif ARGV[2] then t.x = 1 end\nredis.call('SET', KEYS[1], t)",
    "local t = cjson.decode(ARGV[1])\nt.x = 1\nt = cjson.encode(t)\nredis.call('SET', KEYS[1], t)",
    "local t = cjson.decode(ARGV[1])\nredis.call('SET', KEYS[1], t)\nreturn t.x",
    "local ttl = ARGV[1] or nil\nif ttl then redis.call('EXPIRE', KEYS[1], ttl) end",
    "redis.call('EXPIRE', KEYS[1], ARGV[1] or 60)",
    "redis.call('EXPIRE', KEYS[1], nil or ARGV[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL108") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL108") == []
