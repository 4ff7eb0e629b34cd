"""Commands whose name is data."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call(ARGV[1], KEYS[1])", [1]),
    ("redis.call(unpack(ARGV))", [1]),
    ("local function f(name) return redis.call(name, KEYS[1]) end\nreturn f(ARGV[1])", [1]),
    ("local c = {'GET', KEYS[1]}\nreturn redis.call(unpack(c))", [2]),
    ("return redis.call('H' .. ARGV[1], KEYS[1])", [1]),
]

SILENT = [
    "local function f(name) return redis.call(name, KEYS[1]) end return f('GET')",
    "local c = {get = 'GET'} return redis.call(c.get, KEYS[1])",
    "redis.call('GET', KEYS[1])",
    "local function call(...) return redis.call(...) end call('GET', KEYS[1])",
    "redis.call(ARGV[1] == 'l' and 'LPOP' or 'RPOP', KEYS[1])",
    "local name = 'LPOP' if ARGV[1] then name = 'RPOP' end redis.call(name, KEYS[1])",
    "local pop = ARGV[1] and 'LPOP' or 'RPOP' redis.call(pop, KEYS[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL107") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL107") == []
