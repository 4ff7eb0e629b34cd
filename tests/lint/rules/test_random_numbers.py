"""Random numbers."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return math.random(10)", [1]),
    ("math.randomseed(ARGV[1])\nreturn math.random(10)", [1]),
    ("local r = math.random\nreturn r()", [2]),
    ("local m = math\nm.randomseed(1)", [2]),
]

SILENT = [
    "return redis.call('SRANDMEMBER', KEYS[1])",
    "return math.floor(ARGV[1])",
    "local math = {random = f} return math.random()",
    "return redis.call('HRANDFIELD', KEYS[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL606") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL606") == []
