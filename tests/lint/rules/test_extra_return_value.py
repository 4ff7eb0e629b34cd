"""RL317: values that are not sent."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return nil, 'reason'", [1]),
        ("local n = redis.call('INCR', KEYS[1])\nif n > 5 then\nreturn 0, n\nend\nreturn 1", [3]),
        ("return unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))", [1]),
        ("local function take() return 0, 'none' end\nreturn take()", [2]),
    ],
)
def test_a_second_value_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL317") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return {0, 'none'}",
        "local function take() return 0, 'none' end\nlocal n, why = take()\nreturn {n, why}",
        "local function take() return 0, 'none' end\nreturn (take())",
        "return {unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))}",
        "return",
    ],
)
def test_one_value_is_none(lua: str) -> None:
    assert lines(lua, "RL317") == []
