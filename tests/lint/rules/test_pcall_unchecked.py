"""Errors that nobody sees."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("local r = redis.pcall('INCR', KEYS[1])\nreturn 1", [1]),
    ("redis.pcall('PUBLISH', KEYS[1], 'x')", [1]),
    ("local v = redis.pcall('INCR', KEYS[1])\nif v > 100 then return 1 end", [1]),
    ("return #redis.pcall('HGETALL', KEYS[1])", [1]),
    ("local ok = redis.pcall('RENAMENX', KEYS[1], KEYS[2])\nif ok then return 1 end", [1]),
    ("local v\nv = redis.pcall('GET', KEYS[1])\nreturn tonumber(v)", [2]),
    (
        "local p = redis.pcall\nlocal l = p('LRANGE', KEYS[1], 0, 9)\nfor _, m in ipairs(l) do redis.call('DEL', m) end",
        [2],
    ),
]

SILENT = [
    "local _ = redis.pcall('INCR', KEYS[1]) return 1",
    "return redis.pcall('GET', KEYS[1])",
    "local r = redis.pcall('GET', KEYS[1]) if r.err then return r end return #r",
    "local r = redis.pcall('GET', KEYS[1]) if type(r) == 'table' then return 0 end return r .. 'x'",
    "local r = redis.pcall('GET', KEYS[1]) return r",
    "local r = redis.pcall('GET', KEYS[1]) check(r) return #r",
    "local r = redis.call('GET', KEYS[1]) return #r",
    "local r = redis.pcall('GET', KEYS[1]) if r['err'] ~= nil then return 0 end return #r",
    "local function f(...) return redis.pcall(...) end local r = f('GET', KEYS[1]) return r",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL403") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL403") == []


def test_dropping_the_result_is_an_info():
    (found,) = diagnostics("redis.pcall('DEL', KEYS[1])", "RL403")

    assert found.severity == "info"
