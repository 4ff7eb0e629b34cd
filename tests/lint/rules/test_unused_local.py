"""Locals that nothing reads."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("local a = 1\nreturn 2", [1]),
    ("local function f() return 1 end\nreturn 2", [1]),
    ("local a, b = 1, 2\nreturn a", [1]),
    ("local a\na = 1", [1]),
    ("local ok, value = pcall(f)\nreturn ok", [1]),
]

SILENT = [
    "local a = 1 return a",
    "local _ = 1",
    "local _, b = f() return b",
    "local a, b = f() return b",
    "for i, v in ipairs(KEYS) do end",
    "local function f(a) return 1 end return f(2)",
    "local t = {} t.x = 1 return 1",
    "local n = 0 local function f() n = n + 1 end return f()",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL701") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL701") == []
