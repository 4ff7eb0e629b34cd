"""Names that nothing declares."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("return KEY[1]", [1]),
    ("local n = 1\nreturn m", [2]),
    ("elseresult = nothing", [1]),
    ("return redis.call('SET', KEYS[1], ture)", [1]),
    ("if ARGV[1] then x = 1 end\nreturn x", [2]),
    ("local function f()\n  return amout\nend\nreturn f()", [2]),
    ("return arg[1]", [1]),
    ("local function f(a)\n  do local b = a end\n  return b\nend", [3]),
]

SILENT = [
    "return KEYS[1] .. ARGV[1]",
    "x = 1 return x",
    "local function f(...) return arg[1] end",
    "return print",
    "pcall(function() return maybe end)",
    "local function f() return maybe end pcall(f)",
    '--- @include "now"\nreturn now()',
    "local function f(n) return n and f(n - 1) end",
    "return _VERSION, _G, gcinfo",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL011") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL011") == []


def test_a_name_that_is_nearly_right_is_proposed():
    (found,) = diagnostics("local amount = 1 return amout", "RL011")

    assert found.help == "did you mean `amount`?"


def test_each_name_is_reported_once_with_all_its_lines():
    (found,) = diagnostics("local a = total\nlocal b = total\nreturn a + b + total", "RL011")

    assert found.line == 1
    assert "(also in lines 2, 3)" in found.message
