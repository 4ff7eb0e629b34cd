"""RL322: the element 0."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return redis.call('GET', KEYS[0])", [1]),
        ("local id = ARGV[0]\nreturn id", [1]),
        ("local rows = redis.call('ZRANGE', KEYS[1], 0, 9)\nreturn rows[0]", [2]),
        ("local r = {}\nr[0] = 'ok'\nr[1] = 2\nreturn r", [2]),
        ("local r = {}\nr[0] = 'ok'\nreturn {1, r}", [2]),
    ],
)
def test_the_element_0_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL322") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return redis.call('GET', KEYS[1])",
        "local t = {}\nt[0] = 1\nreturn t[0]",
        "local seen = {}\nseen[0] = true\nreturn seen[tonumber(ARGV[1])] and 1 or 0",
        "for i = 0, 3 do redis.call('SET', KEYS[1], ARGV[i + 1]) end",
    ],
)
def test_lists_that_begin_at_1_are_none(lua: str) -> None:
    assert lines(lua, "RL322") == []
