"""Divisions by what may be zero."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return 10 / tonumber(ARGV[1])", [1]),
    ("local n = tonumber(ARGV[1])\nreturn 7 % n", [2]),
    ("return 10 / ARGV[2]", [1]),
    ("local n = tonumber(ARGV[1])\nlocal a = 7 % n\nreturn {a, 9 / n, 9 / ARGV[2]}", [2, 3]),
    ("local rate = tonumber(ARGV[1])\nlocal cost = 1 / rate\nreturn tostring(cost)", [2]),
]

SILENT = [
    "return 10 / 2",
    "local n = tonumber(ARGV[1]) if n <= 0 then return 0 end return 10 / n",
    "return 10 / (tonumber(ARGV[1]) or 1)",
    "return 10 / math.max(1, tonumber(ARGV[1]))",
    "return 10 / #KEYS",
    "local n = tonumber(ARGV[1]) if n == 0 then n = 1 end return 10 / n",
    "if tonumber(ARGV[1]) > 0 then return 10 / ARGV[1] end",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL707") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL707") == []
