"""Commands that no server has."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('GETT', KEYS[1])", [1]),
    ('local c = redis.call\nc("setexx", KEYS[1], 1)', [2]),
    ("local function r(...) return redis.call(...) end\nr('FOO')", [2]),
    ("redis.pcall('XGROUP', 'MAKE', KEYS[1])", [1]),
    ("redis.call('OBJECT', 'SIZE', KEYS[1])", [1]),
]

SILENT = [
    "redis.call('GET', KEYS[1])",
    "redis.call('get', KEYS[1])",
    "redis.call('JSON.GET', KEYS[1])",
    "redis.call(ARGV[1], KEYS[1])",
    "redis.call('DELIFEQ', KEYS[1], 'x')",
    "redis.call('XGROUP', ARGV[1], KEYS[1], 'g')",
    "local t = {} t.call('FOO')",
    "redis.call('XGROUP', 'create', KEYS[1], 'g', '0')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL101") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL101") == []
