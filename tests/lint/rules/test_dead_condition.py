"""Comparisons that never change."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("if tostring(ARGV[1]) == nil then return 1 end", [1]),
    ("local s = tostring(ARGV[1])\nif s ~= nil then return s end", [2]),
    ("for k, v in pairs(t()) do\n  if v == nil then f(k) end\nend", [2]),
    ("if type(ARGV[1]) == 'int' then return 1 end", [1]),
    ("if #KEYS == nil then return 1 end", [1]),
    ("return nil == ARGV[1] .. 'x'", [1]),
]

SILENT = [
    "if ARGV[1] == nil then return 1 end",
    "if tonumber(ARGV[1]) == nil then return 1 end",
    "local x if ARGV[1] then x = 1 end if x == nil then return 1 end",
    "if redis.call('GET', KEYS[1]) == nil then return 1 end",
    "if type(x) == 'table' then return 1 end",
    "local a = ARGV[1] and 1 or nil if a == nil then return 1 end",
    "if cjson.decode(ARGV[1]) == nil then return 1 end",
    "local function f(v) if v == nil then return 1 end end return f(1)",
    "local v = ARGV[1] if not v then return end if v == nil then return 1 end",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL704") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL704") == []
