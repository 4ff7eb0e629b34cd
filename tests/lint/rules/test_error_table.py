"""Tables that are raised."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("error({code = 1})", [1]),
    ("error({})", [1]),
    ("local e = {message = 'x'}\nerror(e)", [2]),
    ("if ARGV[1] then\n  error {'x'}\nend", [2]),
]

SILENT = [
    "error({err = 'X y'})",
    "error('x')",
    "return {code = 1}",
    "pcall(function() error({code = 1}) end)",
    "local function f() error({}) end pcall(f)",
    "local e = {} e.err = 'X' error(e)",
    "error(redis.error_reply('X y'))",
    "local e = redis.pcall('GET', KEYS[1]) error(e)",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL401") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL401") == []
