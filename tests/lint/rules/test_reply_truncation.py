"""RL308: fractions in replies."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return redis.call('INCR', KEYS[1]) / 3", [1]),
        (
            "local share = redis.call('LLEN', KEYS[1]) / redis.call('LLEN', KEYS[2])\nreturn {1, share}",
            [2],
        ),
        ("local mean = tonumber(ARGV[1]) / 10\nlocal out = {}\nout[1] = mean\nreturn out", [3]),
        ("local function half(n) return n / 2 end\nreturn half(redis.call('INCR', KEYS[1]))", [1]),
        ("return redis.call('INCR', KEYS[1]) * 0.5", [1]),
        ("local out = {}\nfor i = 1, 9 do out[i] = i / 2 end\nreturn out", [2]),
        ("local n = redis.call('INCR', KEYS[1])\nreturn (n - n % 10) / 4", [2]),
    ],
)
def test_a_fraction_in_a_reply_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL308") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return tostring(redis.call('INCR', KEYS[1]) / 3)",
        "return math.floor(redis.call('INCR', KEYS[1]) / 3)",
        "return 10 / 2",
        "return redis.call('INCR', KEYS[1]) * 2",
        "local half = redis.call('INCR', KEYS[1]) / 3\nif half > 1 then return 1 end\nreturn 0",
        "return #redis.call('HGETALL', KEYS[1]) / 2",
        "local out = {}\nfor i = 1, 9, 2 do out[#out + 1] = (i + 1) / 2 end\nreturn out",
        "local n = redis.call('INCR', KEYS[1])\nreturn (n - n % 10) / 10",
        "local n = redis.call('INCR', KEYS[1]) / 3\nn = n - n % 1\nreturn string.format('%.2f', n)",
    ],
)
def test_a_whole_number_or_a_text_is_none(lua: str) -> None:
    assert lines(lua, "RL308") == []
