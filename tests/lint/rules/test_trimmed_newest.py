"""RL326: lists trimmed at the wrong end."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 0, 99)", [2]),
        ("redis.call('LPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], -100, -1)", [2]),
        ("redis.call('rpush', KEYS[1], ARGV[1])\nredis.call('ltrim', KEYS[1], '0', '9')", [2]),
        (
            "local n = tonumber(ARGV[2])\nredis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 0, n - 1)",
            [3],
        ),
        (
            "redis.call('LPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)",
            [2],
        ),
        (
            (
                "local log, most = KEYS[1], 50\n"
                "if redis.call('RPUSH', log, ARGV[1]) > most then\n"
                "  redis.call('LTRIM', log, 0, most - 1)\nend"
            ),
            [3],
        ),
    ],
)
def test_a_trim_of_what_is_new_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL326") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('LPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 0, 99)",
        "redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], -100, -1)",
        "redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[2], 0, 99)",
        "redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 100, -1)",
        "redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 0, -2)",
        "redis.call('RPUSH', KEYS[1], ARGV[1])\nredis.call('LTRIM', KEYS[1], 0, ARGV[2])",
        "redis.call('RPUSH', KEYS[1], 1)\nredis.call('LPUSH', KEYS[1], 2)\nredis.call('LTRIM', KEYS[1], 0, 9)",
        "redis.call('LTRIM', KEYS[1], 0, 9)",
        "redis.call('RPUSH', KEYS[1], 1)\nredis.call('LTRIM', KEYS[1], 0, -tonumber(ARGV[1]) - 1)",
        "redis.call('RPUSH', KEYS[1], 1)\nredis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)",
        "redis.call('RPUSH', KEYS[1], 1)\nlocal l = redis.call('LRANGE', KEYS[1], 10, -1)\nredis.call('LTRIM', KEYS[1], 0, 9)\nreturn l",
    ],
)
def test_a_trim_of_what_is_old_is_none(lua: str) -> None:
    assert lines(lua, "RL326") == []
