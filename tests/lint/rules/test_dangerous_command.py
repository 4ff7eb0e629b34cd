"""Commands that reach too far."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("redis.call('FLUSHALL')", [1]),
    ("return redis.call('KEYS', 'a*')", [1]),
    ("local c = redis.call\nreturn c('scan', 0)", [2]),
    ("redis.pcall('SELECT', 1)", [1]),
    ("redis.call('RANDOMKEY')", [1]),
]

SILENT = [
    "redis.call('GET', KEYS[1])",
    "redis.call('SSCAN', KEYS[1], 0)",
    "redis.call('DEL', 'FLUSHALL')",
    "redis.call('HKEYS', KEYS[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL109") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL109") == []


def test_how_bad_it_is():
    lua = "redis.call('KEYS', '*') redis.call('FLUSHDB') redis.call('SCAN', 0)"

    assert [one.severity for one in diagnostics(lua, "RL109")] == ["error", "error", "warning"]
