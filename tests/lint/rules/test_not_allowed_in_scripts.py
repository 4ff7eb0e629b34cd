"""Commands that scripts may not call."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('MULTI')", [1]),
    ("redis.call('config', 'GET', 'maxmemory')", [1]),
    ("local c = redis.pcall\nc('EVALSHA', 'x', 0)", [2]),
    ("redis.call('SUBSCRIBE', 'c')", [1]),
    ("redis.call('CLIENT', 'KILL', 'x')", [1]),
    ("redis.call('SLAVEOF', 'NO', 'ONE')", [1]),
    ("redis.call('SCRIPT', 'FLUSH')", [1]),
]

SILENT = [
    "redis.call('GET', KEYS[1])",
    "redis.call('BLPOP', KEYS[1], 0)",
    "redis.call('WAIT', 1, 0)",
    "redis.call('FLUSHALL')",
    "redis.call('INFO')",
    "redis.call('CONFIG', 'HELP')",
    "redis.call('PUBLISH', 'c', 'x')",
    "redis.call('WAITAOF', 1, 0, 0)",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL102") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL102") == []
