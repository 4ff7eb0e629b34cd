"""Numbers of arguments."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('EXPIRE', KEYS[1])", [1]),
    ("redis.call('GET')", [1]),
    ("redis.call('GET', KEYS[1], KEYS[2])", [1]),
    ("redis.call('HSET', KEYS[1], 'a', 1, 'b')", [1]),
    ("redis.call('MSET', KEYS[1], 1, KEYS[2])", [1]),
    ("local c = redis.call\nc('SADD', KEYS[1])", [2]),
    ("redis.call('ZADD', KEYS[1], 'NX', 1, 'a', 2)", [1]),
    ("redis.call('GET', KEYS[1], 'x', unpack(ARGV))", [1]),
    ("redis.call('XGROUP', 'CREATE', KEYS[1])", [1]),
    ("redis.call('GEOADD', KEYS[1], 1, 2, 'a', 3)", [1]),
]

SILENT = [
    "redis.call('EXPIRE', KEYS[1], 1, 'NX')",
    "redis.call('GET', unpack(KEYS))",
    "redis.call('HSET', KEYS[1], unpack(ARGV))",
    "redis.call('HSET', KEYS[1], 'a', unpack(ARGV))",
    "redis.call('ZADD', KEYS[1], ARGV[3], 1, 'a')",
    "redis.call('ZADD', KEYS[1], 'NX', 'CH', 1, 'a')",
    "redis.call(unpack(ARGV))",
    "local function f(...) return redis.call('GET', ...) end",
    "redis.call('MSET', KEYS[1], 1, KEYS[2], 2)",
    "redis.call('DEL', KEYS[1])",
    "redis.call('SET', KEYS[1], 1, 'EX', 10)",
]

TARGETS = [
    ("redis.call('ZRANK', KEYS[1], 'm', 'WITHSCORE')", ["redis>=7.0"], [1]),
    ("redis.call('ZRANK', KEYS[1], 'm', 'WITHSCORE')", ["redis>=7.2"], []),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL103") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL103") == []


@pytest.mark.parametrize(("lua", "targets", "expected"), TARGETS)
def test_it_depends_on_the_targets(lua: str, targets: list[str], expected: list[int]):
    assert lines(lua, "RL103", targets=targets) == expected
