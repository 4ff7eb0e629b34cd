"""RL610 on times in the wrong unit."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL610"
NOW = "local now = tonumber(redis.call('TIME')[1])\n"
NOW_MS = "local t = redis.call('TIME')\nlocal now = t[1] * 1000 + math.floor(t[2] / 1000)\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('EXPIRE', KEYS[1], redis.call('PTTL', KEYS[2]))", [1]),
        ("local left = redis.call('PTTL', KEYS[1])\nredis.call('SETEX', KEYS[2], left, 1)", [2]),
        ("local left = redis.call('TTL', KEYS[1])\nredis.call('PEXPIRE', KEYS[2], left)", [2]),
        (
            "local left = redis.call('TTL', KEYS[1])\nif left > 0 then\n  redis.call('SET', KEYS[2], 1, 'NX', 'PX', left)\nend",
            [3],
        ),
        ("redis.call('GETEX', KEYS[2], 'PXAT', redis.call('EXPIRETIME', KEYS[1]))", [1]),
        ("redis.call('EXPIREAT', KEYS[2], redis.call('TTL', KEYS[1]))", [1]),
        ("redis.call('EXPIREAT', KEYS[1], 3600)", [1]),
        ("redis.call('EXPIRE', KEYS[1], -1)", [1]),
        ("redis.call('SET', KEYS[1], 1, 'PXAT', '60000')", [1]),
        (NOW_MS + "redis.call('EXPIREAT', KEYS[1], now + 60)", [3]),
        (NOW + "redis.call('PEXPIREAT', KEYS[1], now + 60000)", [2]),
        (NOW + "redis.call('EXPIRE', KEYS[1], now + tonumber(ARGV[1]))", [2]),
        (NOW_MS + "redis.call('SET', KEYS[1], 1, 'PX', now + 5000)", [3]),
    ],
)
def test_a_time_in_the_wrong_unit_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, RULE) == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[2]))",
        "local left = redis.call('PTTL', KEYS[1])\nredis.call('EXPIRE', KEYS[2], math.ceil(left / 1000))",
        "local left = redis.call('TTL', KEYS[1])\nredis.call('SET', KEYS[2], 1, 'PX', left * 1000)",
        "redis.call('SET', KEYS[1], 1, 'EXAT', redis.call('EXPIRETIME', KEYS[2]))",
        "redis.call('SET', KEYS[1], redis.call('PTTL', KEYS[2]), 'EX', 5)",
        "redis.call('SET', 'EX', 7)",
        "redis.call('EXPIRE', KEYS[1], ARGV[1])",
        "redis.call('EXPIREAT', KEYS[1], ARGV[1])",
        "redis.call('EXPIREAT', KEYS[1], 0)",
        "redis.call('EXPIREAT', KEYS[1], 4102444800)",
        "redis.call('EXPIRE', KEYS[1], 86400)",
        NOW + "redis.call('EXPIREAT', KEYS[1], now + 60)",
        NOW + "redis.call('PEXPIREAT', KEYS[1], (now + 60) * 1000)",
        NOW + "redis.call('EXPIRE', KEYS[1], tonumber(ARGV[1]) - now)",
        NOW + "local past = now % 60\nredis.call('EXPIRE', KEYS[1], 60 - past)",
        NOW + "local ends = redis.call('GET', KEYS[2])\nredis.call('EXPIRE', KEYS[1], ends - now)",
        NOW_MS + "redis.call('PEXPIREAT', KEYS[1], now + 5000)",
        NOW_MS + "redis.call('EXPIREAT', KEYS[1], math.ceil((now + 5000) / 1000))",
        NOW_MS
        + "local left = math.max(tonumber(ARGV[1]) - now, 1)\nredis.call('PEXPIRE', KEYS[1], left)",
    ],
)
def test_a_time_in_the_right_unit_is_none(lua: str) -> None:
    assert lines(lua, RULE) == []
