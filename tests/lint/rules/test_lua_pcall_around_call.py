"""pcall around one command."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return pcall(redis.call, 'GET', KEYS[1])", [1]),
    ("local call = redis.call\nlocal ok, r = pcall(call, 'GET', KEYS[1])", [2]),
    ("local ok = pcall(function() redis.call('DEL', KEYS[1]) end)", [1]),
    ("return pcall(function() return redis.call('GET', KEYS[1]) end)", [1]),
]

SILENT = [
    "return redis.pcall('GET', KEYS[1])",
    "return pcall(cjson.decode, ARGV[1])",
    "pcall(function() redis.call('DEL', KEYS[1]) redis.call('DEL', KEYS[2]) end)",
    "local function f() return 1 end pcall(f)",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL404") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL404") == []
