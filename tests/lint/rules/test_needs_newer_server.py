"""What older servers lack."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("redis.call('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'a')", [1]),
    ("redis.call('DELIFEQ', KEYS[1], 'x')", [1]),
    ("local c = redis.call\nc('SET', KEYS[1], 'v', 'IFEQ', 'x')", [2]),
    ("redis.call('MSETEX', 1, KEYS[1], 'v', 'EX', 10)", [1]),
    ("redis.call('WAITAOF', 1, 0, 0)", [1]),
]

SILENT = [
    "redis.call('GET', KEYS[1])",
    "redis.call('SET', KEYS[1], 'IFEQ')",
    "redis.call('SET', KEYS[1], 'v', 'GET')",
    "redis.call('GETEX', KEYS[1], 'EX', 1)",
    "redis.call('EXPIRE', KEYS[1], 1, 'NX')",
    "redis.pcall('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'a')",
    "if redis.REDIS_VERSION_NUM >= 0x00070400 then redis.call('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'a') end",
    "redis.call('HSET', KEYS[1], 'FIELDS', 1)",
    "redis.call('SETT', KEYS[1])",
]

TARGETS = [
    ("redis.call('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'a')", ["redis>=7.4"], []),
    ("redis.call('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'a')", ["redis>=7.4", "valkey>=8.1"], [1]),
    ("redis.call('SET', KEYS[1], 'v', 'IFEQ', 'x')", ["valkey>=8.1"], []),
    ("redis.call('SET', KEYS[1], 'v', 'IFEQ', 'x')", ["valkey>=8.0"], [1]),
    ("redis.call('GETEX', KEYS[1])", ["redis>=6.0"], [1]),
    ("redis.call('EXPIRE', KEYS[1], 1, 'NX')", ["redis>=6.2"], [1]),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL104") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL104") == []


@pytest.mark.parametrize(("lua", "targets", "expected"), TARGETS)
def test_it_depends_on_the_targets(lua: str, targets: list[str], expected: list[int]):
    assert lines(lua, "RL104", targets=targets) == expected
