"""Obsolete functions."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.replicate_commands()", [1]),
    ("return table.getn(KEYS)", [1]),
    ("local r = redis\nr.set_repl(r.REPL_NONE)", [2]),
    ("table.foreach(ARGV, print)", [1]),
    ("return string.gfind(ARGV[1], 'a')", [1]),
]

SILENT = [
    "return #KEYS",
    "for w in string.gmatch(ARGV[1], 'a') do end",
    "local table = {getn = f} return table.getn(1)",
    "return redis.setresp(3)",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL013") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL013") == []
