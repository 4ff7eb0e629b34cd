"""Assignments to globals."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import fixed, lines

FIRES = [
    ("x = 1", [1]),
    ("local a\na, b = 1, 2", [2]),
    ("function f() return 1 end\nreturn f()", [1]),
    ("if ARGV[1] then\n  reason = 'x'\nend", [2]),
    ("string.trim = 1", [1]),
    ("function table.copy(t) return t end", [1]),
    ("function string:split(s) return s end", [1]),
    ("local function f()\n  n = 1\nend\nf()", [2]),
    ("KEYS = {}", [1]),
    ("_G.x = 1", [1]),
]

SILENT = [
    "local x = 1 x = 2",
    "local t = {} t.x = 1",
    "KEYS[1] = 'x'",
    "local M = {} function M.f() end",
    "local string = {} string.x = 1",
    "for i = 1, 2 do i = 3 end",
    "local function f(a) a = 1 return a end",
]

FIXES = [
    ("x = 1\nreturn x", "local x = 1\nreturn x"),
    ("function f() return f end", "local function f() return f end"),
    ("if a then x = 1 end return x", "if a then x = 1 end return x"),
    ("n = 1\nn = n + 1", "local n = 1\nn = n + 1"),
    ("KEYS = {}", "KEYS = {}"),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL010") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL010") == []


@pytest.mark.parametrize(("lua", "expected"), FIXES)
def test_it_is_fixed(lua: str, expected: str):
    assert fixed(lua, "RL010") == expected
