"""RL603 on expiries that a new key does not get."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL603"
EXPIRE = "redis.call('EXPIRE', KEYS[1], 60)"


@pytest.mark.parametrize(
    "lua",
    [
        f"local n = redis.call('INCR', KEYS[1]) if n > 1 then {EXPIRE} end return n",
        f"if redis.call('INCR', KEYS[1]) == tonumber(ARGV[1]) then {EXPIRE} end",
        f"local n = redis.call('INCRBY', KEYS[1], ARGV[1]) if n == 1 then {EXPIRE} end",
        f"local n = redis.call('INCR', KEYS[1]) if 1 ~= n then {EXPIRE} end",
        f"local n = redis.call('INCR', KEYS[1]) if n == 1 then n = 0 else {EXPIRE} end",
        f"if redis.call('LPUSH', KEYS[1], 'a', 'b') == 1 then {EXPIRE} end",
        f"local n = redis.call('INCR', KEYS[1]) if n > 9 and ARGV[1] == 'x' then {EXPIRE} end",
    ],
)
def test_an_expiry_that_a_new_key_does_not_get_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        f"local n = redis.call('INCR', KEYS[1]) if n == 1 then {EXPIRE} end return n",
        f"if tonumber(redis.call('INCR', KEYS[1])) == 1 then {EXPIRE} end",
        (
            f"local n = redis.call('INCRBY', KEYS[1], ARGV[1]) if n == tonumber(ARGV[1]) then"
            f" {EXPIRE} end"
        ),
        f"local n = redis.call('INCR', KEYS[1]) if n <= tonumber(ARGV[1]) then {EXPIRE} end",
        f"redis.call('INCR', KEYS[1]) if redis.call('TTL', KEYS[1]) < 0 then {EXPIRE} end",
        f"redis.call('SADD', KEYS[1], ARGV[1]) if ARGV[2] then {EXPIRE} end",
        f"redis.call('SETEX', KEYS[1], 9, 0) if redis.call('INCR', KEYS[1]) > 1 then {EXPIRE} end",
        f"local n = redis.call('HINCRBY', KEYS[1], 'held', -1) if n >= 1 then {EXPIRE} end",
        f"local n = redis.call('INCR', KEYS[1]) {EXPIRE} if n > 1 then {EXPIRE} end",
        "local n = redis.call('INCR', KEYS[1]) if n > 1 then redis.call('EXPIRE', KEYS[2], 1) end",
    ],
)
def test_an_expiry_that_a_new_key_gets_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
