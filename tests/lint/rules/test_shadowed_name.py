"""Names that hide others."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("local type = ARGV[1]\nreturn type", [1]),
    ("local type, table = ARGV[1], ARGV[2]", [1, 1]),
    ("local n = 1\nif ARGV[1] then\n  local n = 2\n  f(n)\nend\nreturn n", [3]),
    ("local n = 1\nlocal n = 2\nreturn n", [2]),
    ("local function f(table) return table[1] end", [1]),
    ("for _, next in ipairs(KEYS) do end", [1]),
]

SILENT = [
    "local redis = redis",
    "local unpack = unpack or table.unpack",
    "local n = ARGV[1] local n = tonumber(n) return n",
    "local key = KEYS[1] local function f(key) return key end",
    "do local a = 1 end do local a = 2 end",
    "if x then local a = 1 else local a = 2 end",
    "local _ = 1 local _ = 2",
    "local function load() end",
    "local n = 1 local function f() local n = 2 return n end return n",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL702") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL702") == []
