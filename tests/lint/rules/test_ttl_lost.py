"""RL602 on SET where the key has an expiry."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL602"


@pytest.mark.parametrize(
    "lua",
    [
        "local left = redis.call('TTL', KEYS[1]) redis.call('SET', KEYS[1], 1) return left",
        "redis.call('SET', KEYS[1], 1, 'EX', 9) redis.call('SET', KEYS[1], 2)",
        "redis.call('EXPIRE', KEYS[1], 9) redis.call('GETSET', KEYS[1], 2)",
        (
            "local k = KEYS[1] if redis.call('GET', k) then redis.call('SET', k, 2)"
            " else redis.call('SET', KEYS[1], 1, 'PX', 9) end"
        ),
        "local call = redis.call call('psetex', KEYS[1], 9, 1) call('set', KEYS[1], 2, 'GET')",
    ],
)
def test_a_lost_expiry_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SET', KEYS[1], 1)",
        "redis.call('SET', KEYS[1], 1) redis.call('EXPIRE', KEYS[1], 9)",
        "local t = redis.call('PTTL', KEYS[1]) redis.call('SET', KEYS[1], 1, 'KEEPTTL') return t",
        (
            "local t = redis.call('PTTL', KEYS[1]) redis.call('SET', KEYS[1], 1)"
            " if t > 0 then redis.call('PEXPIRE', KEYS[1], t) end"
        ),
        (
            "if ARGV[1] == '0' then redis.call('SET', KEYS[1], 1)"
            " else redis.call('SET', KEYS[1], 1, 'EX', ARGV[1]) end"
        ),
        (
            "local t = redis.call('PTTL', KEYS[1]) if t == -1 then redis.call('SET', KEYS[1], 1)"
            " elseif t > 0 then redis.call('SET', KEYS[1], 1, 'PX', t) end"
        ),
        "redis.call('EXPIRE', KEYS[1], 9) redis.call('SET', KEYS[2], 1)",
        "redis.call('EXPIRE', KEYS[1], 9) redis.call('INCR', KEYS[1])",
        "redis.call('TTL', KEYS[1]) redis.call('SET', KEYS[1], 1, 'NX')",
        (
            "redis.call('SET', KEYS[1], 1) if ARGV[1] then return 0 else return 1 end"
            " redis.call('EXPIRE', KEYS[1], 9)"
        ),
        "redis.call('EXPIRE', KEYS[1], 9) do return 1 end redis.call('SET', KEYS[1], 1)",
    ],
)
def test_an_expiry_that_stays_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
