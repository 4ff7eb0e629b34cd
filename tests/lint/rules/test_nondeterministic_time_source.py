"""Two clocks."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    (
        "local function now() return tonumber(redis.call('TIME')[1]) end\nif now() > tonumber(ARGV[1]) then return 1 end",
        [2],
    ),
    (
        "local t = redis.call('TIME')\nlocal given = tonumber(ARGV[1])\nif given < t[1] * 1000 then return 0 end",
        [3],
    ),
    ("local n = tonumber(redis.call('TIME')[1])\nreturn tonumber(ARGV[1]) >= n and 1 or 0", [2]),
]

SILENT = [
    "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal n = now() return n - tonumber(ARGV[1])",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nif now() - tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 1 end",
    "if tonumber(ARGV[1]) > 5 then return 1 end",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nif now() > tonumber(redis.call('GET', KEYS[1]) or '0') then return 1 end",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL605") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL605") == []
