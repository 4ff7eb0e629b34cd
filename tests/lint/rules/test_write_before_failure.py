"""What fails after a write."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('SET', KEYS[1], 1)\nlocal d = cjson.decode(ARGV[1])", [2]),
    ("local j = redis.call('LPOP', KEYS[1])\nif j then\n  local d = cjson.decode(j)\nend", [3]),
    ("redis.call('DEL', KEYS[1])\nif ARGV[1] == 'x' then error('no') end", [2]),
    (
        "local function save() redis.call('SET', KEYS[1], 1) end\nsave()\nlocal d = cmsgpack.unpack(ARGV[1])",
        [3],
    ),
    (
        "local function read(v) return cjson.decode(ARGV[1]) end\nredis.call('SET', KEYS[1], 1)\nreturn read()",
        [1],
    ),
    ("redis.call('SET', KEYS[1], 1)\nassert(tonumber(ARGV[1]), 'bad')", [2]),
    (
        "redis.call('INCR', KEYS[1])\nif not tonumber(ARGV[1]) then return redis.error_reply('bad') end",
        [2],
    ),
    (
        "local n = tonumber(ARGV[1])\nredis.call('DEL', KEYS[1])\nif not n or n < 1 then\n  return redis.error_reply('bad')\nend",
        [4],
    ),
    (
        "redis.call('INCR', KEYS[1])\nif #ARGV ~= 2 then return redis.error_reply('bad') end",
        [2],
    ),
]

SILENT = [
    "local d = cjson.decode(ARGV[1]) redis.call('SET', KEYS[1], d.x)",
    "redis.call('SET', KEYS[1], 1) local ok, d = pcall(cjson.decode, ARGV[1])",
    "if ARGV[1] then redis.call('SET', KEYS[1], 1) return 1 end return cjson.decode(ARGV[2])",
    "if ARGV[1] then redis.call('SET', KEYS[1], 1) else error('x') end",
    "redis.call('GET', KEYS[1]) error('x')",
    "redis.call('SET', KEYS[1], 1) return cjson.decode('[1]')",
    "redis.call('SET', KEYS[1], 1) pcall(function() error('x') end)",
    "if not ARGV[1] then return redis.error_reply('bad') end redis.call('INCR', KEYS[1])",
    "if redis.call('INCR', KEYS[1]) > tonumber(ARGV[1]) then return redis.error_reply('full') end",
    "redis.call('INCR', KEYS[1]) if ARGV[1] == redis.call('GET', KEYS[2]) then return redis.error_reply('no') end",
    "redis.call('INCR', KEYS[1]) return redis.error_reply('no')",
    "local r = redis.pcall('INCR', KEYS[1]) if r.err then return redis.error_reply('no') end",
    "local function unused() redis.call('SET', KEYS[1], 1) end error('x')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL405") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL405") == []
