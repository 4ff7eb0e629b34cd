"""Debugging that was left in."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("redis.breakpoint()", [1]),
    ("local x = 1\nredis.debug('x', x)", [2]),
    ("redis.log(redis.LOG_WARNING, 'x')", [1]),
    ("if ARGV[1] then redis.breakpoint() end", [1]),
    ("local log = redis.log\nlog(redis.LOG_NOTICE, 'x')", [2]),
]

SILENT = [
    "local function log(x) if not ARGV[1] then return end redis.log(1, x) end",
    "if ARGV[1] == 'debug' then redis.log(redis.LOG_DEBUG, 'x') end",
    "return redis.LOG_DEBUG",
    "local redis = {breakpoint = f} redis.breakpoint()",
    "return 1",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL706") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL706") == []


def test_how_bad_it_is():
    lua = "redis.breakpoint() redis.debug(1) redis.log(1, 'x')"

    assert [one.severity for one in diagnostics(lua, "RL706")] == ["error", "warning", "info"]
