"""Deprecated commands."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import fixed, lines

FIRES = [
    ("redis.call('HMSET', KEYS[1], 'a', 1)", [1]),
    ("return redis.call('GETSET', KEYS[1], 1)", [1]),
    ("local c = redis.call\nc('setex', KEYS[1], 1, 2)", [2]),
    ("return redis.call('ZREVRANGE', KEYS[1], 0, 9)", [1]),
    ("redis.call('RPOPLPUSH', KEYS[1], KEYS[2])", [1]),
]

SILENT = [
    "redis.call('HSET', KEYS[1], 'a', 1)",
    "redis.call('SET', KEYS[1], 1, 'EX', 2)",
    "redis.call('ZRANGE', KEYS[1], 0, 9)",
    "redis.call('HMGET', KEYS[1], 'a')",
]

FIXES = [
    ("redis.call('HMSET', KEYS[1], 'a', 1)", "redis.call('HSET', KEYS[1], 'a', 1)"),
    ('redis.call("hmset", KEYS[1], "a", 1)', 'redis.call("hset", KEYS[1], "a", 1)'),
    ("return redis.call('HMSET', KEYS[1], 'a', 1)", "return redis.call('HMSET', KEYS[1], 'a', 1)"),
    ("return redis.call('SUBSTR', KEYS[1], 0, 1)", "return redis.call('GETRANGE', KEYS[1], 0, 1)"),
    (
        "return redis.call('RPOPLPUSH', KEYS[1], KEYS[2])",
        "return redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')",
    ),
    ("redis.call('RPOPLPUSH', unpack(KEYS))", "redis.call('RPOPLPUSH', unpack(KEYS))"),
]

TARGETS = [
    ("redis.call('HMSET', KEYS[1], 'a', 1)", ["valkey>=9.0"], []),
    ("redis.call('SETEX', KEYS[1], 1, 2)", ["valkey>=8.1"], [1]),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL106") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL106") == []


@pytest.mark.parametrize(("lua", "expected"), FIXES)
def test_it_is_fixed(lua: str, expected: str):
    assert fixed(lua, "RL106") == expected


@pytest.mark.parametrize(("lua", "targets", "expected"), TARGETS)
def test_it_depends_on_the_targets(lua: str, targets: list[str], expected: list[int]):
    assert lines(lua, "RL106", targets=targets) == expected
