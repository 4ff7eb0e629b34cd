"""RL305: numbers made text."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (
            "local t = redis.call('TIME')\nlocal us = t[1] * 1000000 + t[2]\nreturn redis.call('SADD', KEYS[1], us .. ':' .. ARGV[1])",
            [3],
        ),
        (
            "local t = redis.call('TIME')\nlocal us = tonumber(t[1]) * 1e6 + tonumber(t[2])\nreturn tostring(us)",
            [3],
        ),
        ("local t = redis.call('TIME')\nreturn cjson.encode({at = t[1] * 1000000 + t[2]})", [2]),
        (
            "local function us() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end\nreturn 'x' .. us()",
            [2],
        ),
    ],
)
def test_a_number_that_loses_digits_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL305") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local t = redis.call('TIME')\nreturn string.format('%.0f', t[1] * 1000000 + t[2])",
        "local t = redis.call('TIME')\nreturn 'x' .. t[1]",
        "local t = redis.call('TIME')\nreturn 'x' .. (t[1] * 1000 + math.floor(t[2] / 1000))",
        "local t = redis.call('TIME')\nreturn redis.call('ZADD', KEYS[1], t[1] * 1000000 + t[2], ARGV[1])",
        "return 'x' .. redis.call('INCR', KEYS[1])",
        "return tostring(#ARGV)",
    ],
)
def test_a_number_that_keeps_its_digits_is_none(lua: str) -> None:
    assert lines(lua, "RL305") == []
