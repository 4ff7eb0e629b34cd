"""Statements that never run."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("do return 1 end\nreturn 2", [2]),
    ("if ARGV[1] then\n  return 1\nelse\n  return 2\nend\nreturn 3", [6]),
    ("error('x')\nredis.call('DEL', KEYS[1])", [2]),
    ("while true do\n  redis.call('INCR', KEYS[1])\nend\nreturn 1", [4]),
    ("for i = 1, 2 do\n  do break end\n  f(i)\nend", [3]),
]

SILENT = [
    "if ARGV[1] then return 1 end return 2",
    "if ARGV[1] then return 1 else f() end return 2",
    "while true do if f() then break end end return 1",
    "while ARGV[1] do f() end return 1",
    "return 1",
    "if ARGV[1] then error('x') end return 1",
    "while true do while true do break end if f() then break end end return 1",
    "local function f() error('x') end return 1",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL703") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL703") == []
