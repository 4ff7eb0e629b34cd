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
        # Counters that do not come by multiples of the divisor.
        ("for i = 1, 9, 2 do redis.call('EXPIRE', KEYS[1], i / 2) end", [1]),
        ("for i = 2, 8, 2 do redis.call('EXPIRE', KEYS[1], i / 4) end", [1]),
        ("for i = 1, 9 do redis.call('EXPIRE', KEYS[1], (i + 1) / 2) end", [1]),
        ("local i = 1\nwhile i < 9 do redis.call('EXPIRE', KEYS[1], i / 2) i = i + 2 end", [2]),
        ("local n = tonumber(ARGV[1])\nredis.call('EXPIRE', KEYS[1], (n - n % 10) / 3)", [2]),
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
        "for i = 2, 20, 2 do redis.call('EXPIRE', KEYS[1], i / 2) end",
        "for i = 1, #KEYS, 2 do redis.call('EXPIRE', KEYS[i], (i + 1) / 2) end",
        "for i = 0, 100, 10 do local page = i / 10 redis.call('EXPIRE', KEYS[1], page) end",
        "for i = #KEYS, 1, -2 do redis.call('EXPIRE', KEYS[1], i / 2) end",
        "for i = 3, 12, 3 do redis.call('EXPIRE', KEYS[1], (2 * i) / 3) end",
        "local i = 1\nwhile i < 9 do redis.call('EXPIRE', KEYS[1], (i - 1) / 2) i = i + 2 end",
        "local n, d = tonumber(ARGV[1]), 60\nlocal rest = n % d\nredis.call('EXPIRE', KEYS[1], (n - rest) / d)",
        "local n, d = tonumber(ARGV[1]), tonumber(ARGV[2])\nredis.call('EXPIRE', KEYS[1], (n - n % d) / d)",
        "redis.call('EXPIRE', KEYS[1], (#KEYS * 60) / 30)",
        "local ttl = ARGV[1] / 2\nttl = math.floor(ttl)\nredis.call('EXPIRE', KEYS[1], ttl)",
    ],
)
def test_a_whole_number_is_none(lua: str) -> None:
    assert lines(lua, "RL306") == []
