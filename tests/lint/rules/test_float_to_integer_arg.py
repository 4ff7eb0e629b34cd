"""RL306: fractions given to commands that take whole numbers."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('EXPIRE', KEYS[1], ARGV[1] / 2)", [1]),
        ("local ttl = tonumber(ARGV[1]) / 1000\nredis.call('SET', KEYS[1], 1, 'EX', ttl)", [2]),
        (
            "local rate, size = tonumber(ARGV[1]), tonumber(ARGV[2])\nlocal fill = size / rate\nlocal ttl = fill * 2\nredis.call('expire', KEYS[1], ttl)",
            [4],
        ),
        ("redis.call('PEXPIRE', KEYS[1], ARGV[1] * 1.5)", [1]),
        ("redis.call('INCRBY', KEYS[1], math.max(1, ARGV[1] / 3))", [1]),
        ("redis.call('LTRIM', KEYS[1], 0, redis.call('LLEN', KEYS[1]) / 3)", [1]),
        ("redis.call('PEXPIRE', KEYS[1], math.sqrt(ARGV[1]))", [1]),
    ],
)
def test_a_fraction_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL306") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[1] / 2))",
        "redis.call('EXPIRE', KEYS[1], ARGV[1])",
        "redis.call('EXPIRE', KEYS[1], 3600 / 2)",
        "redis.call('EXPIRE', KEYS[1], 86400 * 1.5)",
        "redis.call('ZADD', KEYS[1], ARGV[1] / 2, 'm')",
        "redis.call('SET', KEYS[1], ARGV[1] / 2)",
        "redis.call('INCRBYFLOAT', KEYS[1], ARGV[1] / 2)",
        "redis.call('EXPIRE', KEYS[1], string.format('%.0f', ARGV[1] / 2))",
        "local ttl = ARGV[1] / 2\nttl = math.floor(ttl)\nredis.call('EXPIRE', KEYS[1], ttl)",
    ],
)
def test_a_whole_number_is_none(lua: str) -> None:
    assert lines(lua, "RL306") == []
