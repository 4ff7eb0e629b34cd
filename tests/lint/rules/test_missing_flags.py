"""Flags that do not fit."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import fixed, lines

FIRES = [
    ("#!lua\nreturn redis.call('GET', KEYS[1])", [1]),
    (
        "#!lua flags=no-writes\nlocal n = redis.call('PFCOUNT', KEYS[1])\nredis.call('SET', KEYS[2], n)",
        [2, 3],
    ),
    ("#!lua flags=allow-stale\nlocal c = redis.call\nreturn c('HGETALL', KEYS[1])", [1]),
    ("#!lua flags=no-writes\nredis.call('PUBLISH', 'c', 'x')", [2]),
    ("#!lua\nlocal function r(...) return redis.call(...) end\nreturn r('GET', KEYS[1])", [1]),
]

SILENT = [
    "return redis.call('GET', KEYS[1])",
    "#!lua\nreturn redis.call('SET', KEYS[1], 1)",
    "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])",
    "#!lua\nreturn redis.call(ARGV[1], KEYS[1])",
    "#!lua\nreturn 1",
    "#!lua\nredis.call('GET', KEYS[1]) return pcall(redis.call, 'SET', KEYS[1], 1)",
    "#!lua\nreturn redis.call('PFCOUNT', KEYS[1])",
]

FIXES = [
    (
        "#!lua\nreturn redis.call('GET', KEYS[1])",
        "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])",
    ),
    (
        "#!lua flags=allow-stale\nreturn redis.call('GET', KEYS[1])",
        "#!lua flags=allow-stale,no-writes\nreturn redis.call('GET', KEYS[1])",
    ),
    (
        "#!lua flags=\nreturn redis.call('GET', KEYS[1])",
        "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])",
    ),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL608") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL608") == []


@pytest.mark.parametrize(("lua", "expected"), FIXES)
def test_it_is_fixed(lua: str, expected: str):
    assert fixed(lua, "RL608") == expected
