"""Waiting for a clock that stands still."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("local a = redis.call('TIME')\nlocal b = redis.call('TIME')\nreturn b[1] - a[1]", [3]),
    (
        "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal start = now()\nreturn now() - start",
        [3],
    ),
    (
        "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal deadline = now() + 5\nwhile now() < deadline do end",
        [3],
    ),
    (
        "local function now() return tonumber(redis.call('TIME')[1]) end\nwhile true do\n  if now() > tonumber(ARGV[1]) then break end\nend",
        [3],
    ),
    (
        "local s = redis.call('TIME')\nlocal until_ = s[1] * 1000 + ARGV[1]\nrepeat\n  local t = redis.call('TIME')\nuntil t[1] * 1000 > until_",
        [5],
    ),
    (
        "local t, u = unpack(redis.call('TIME'))\nlocal v, w = unpack(redis.call('TIME'))\nreturn (v * 1000000 + w) - (t * 1000000 + u)",
        [3],
    ),
]

SILENT = [
    "local t = redis.call('TIME') return t[1] * 1000 + t[2]",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal n = now() return n - tonumber(redis.call('GET', KEYS[1]) or '0')",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nreturn now() - tonumber(ARGV[1])",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal n = now() local ends = n + 5 return ends - n",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nif now() > tonumber(ARGV[1]) then return 1 end",
    "local function now() return tonumber(redis.call('TIME')[1]) end\nlocal n = now() while true do local s = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES') if tonumber(s[2]) > n then break end redis.call('ZREM', KEYS[1], s[1]) end",
    "local t = redis.call('TIME') local ms = t[1] * 1000 + math.floor(t[2] / 1000) return ms - tonumber(ARGV[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL604") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL604") == []
