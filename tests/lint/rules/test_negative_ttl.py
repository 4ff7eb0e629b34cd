"""RL611 on expiries that are copied from keys that may have none."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL611"
LEFT = "local left = redis.call('PTTL', KEYS[1])\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (LEFT + "redis.call('PEXPIRE', KEYS[2], left)", [2]),
        ("redis.call('EXPIRE', KEYS[2], redis.call('TTL', KEYS[1]))", [1]),
        (LEFT + "redis.call('SET', KEYS[1], ARGV[1])\nredis.call('PEXPIRE', KEYS[1], left)", [3]),
        (LEFT + "redis.call('SET', KEYS[2], 1, 'PX', left)", [2]),
        (LEFT + "redis.call('EXPIRE', KEYS[2], math.ceil(left / 1000))", [2]),
        (LEFT + "redis.call('PEXPIRE', KEYS[2], left)\nif left > 0 then return left end", [2]),
        ("redis.call('PEXPIREAT', KEYS[2], redis.call('PEXPIRETIME', KEYS[1]))", [1]),
    ],
)
def test_an_answer_that_may_be_negative_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, RULE) == where


@pytest.mark.parametrize(
    "lua",
    [
        LEFT + "if left > 0 then redis.call('PEXPIRE', KEYS[2], left) end",
        LEFT + "if left < 0 then left = 1000 end\nredis.call('PEXPIRE', KEYS[2], left)",
        LEFT + "if (tonumber(left)) == -1 then return 0 end\nredis.call('PEXPIRE', KEYS[2], left)",
        LEFT + "redis.call('PEXPIRE', KEYS[2], math.max(left, 1))",
        LEFT + "local ttl = left > 0 and left or 1000\nredis.call('PEXPIRE', KEYS[2], ttl)",
        LEFT + "redis.call('SET', KEYS[2], left)",
        "redis.call('EXPIRE', KEYS[1], 5)\n" + LEFT + "redis.call('PEXPIRE', KEYS[2], left)",
        "redis.call('PEXPIRE', KEYS[1], ARGV[1])",
    ],
)
def test_an_answer_that_is_looked_at_is_none(lua: str) -> None:
    assert lines(lua, RULE) == []
