"""Names declared twice."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("local a, a = 1, 2\nreturn a", [1]),
    ("local function f(x, y, x) return x end", [1]),
    ("for k, k in pairs(KEYS) do end", [1]),
    ("local ok, v, ok = f()", [1]),
]

SILENT = [
    "local a, b = 1, 2",
    "local _, _, c = f()",
    "local a = 1 local a = 2",
    "local function f(x) local x = 1 return x end",
    "local function f(a) end local function g(a) end",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL705") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL705") == []
