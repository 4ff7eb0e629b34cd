"""Errors without a code."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return redis.error_reply('not enough')", [1]),
    ("return {err = 'failure noted'}", [1]),
    ("return redis.error_reply('-FULL too many')", [1]),
    ("return 'ERR not implemented'", [1]),
    ("error({err = 'circuit opened'})", [1]),
    ("return redis.error_reply('Bad ' .. ARGV[1])", [1]),
    ("return redis.error_reply(string.format('item %s is gone', ARGV[1]))", [1]),
]

SILENT = [
    "return redis.error_reply('NOFUNDS ' .. ARGV[1])",
    "return redis.error_reply('ERR x')",
    "return {err = 'NOSTOCK'}",
    "return redis.error_reply(ARGV[1])",
    "return {ok = 'fine'}",
    "return 'ERROR'",
    "local r = redis.pcall('GET', KEYS[1]) return redis.error_reply(r.err)",
    "return {err = code .. ' x'}",
    "return redis.error_reply('NO_' .. ARGV[1])",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL402") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL402") == []
