"""RL304: texts and numbers compared."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if redis.call('INCR', KEYS[1]) > ARGV[1] then return 0 end", [1]),
        ("if ARGV[1] > 5 then return 0 end", [1]),
        (
            "local got = redis.call('SET', KEYS[1], 1, 'NX', 'EX', 9)\nif got == 'OK' then return 1 end",
            [2],
        ),
        (
            "local n = redis.call('GET', KEYS[1])\nif n and n >= tonumber(ARGV[1]) then return 0 end",
            [2],
        ),
        (
            "local limit = ARGV[1]\nlocal n = redis.call('LLEN', KEYS[1])\nif n < limit then return 0 end",
            [3],
        ),
        ("if ARGV[1] < ARGV[2] then return 0 end", [1]),
        ("local n = redis.call('GET', KEYS[1]) or 0\nif n < 10 then return 0 end", [2]),
        ("if redis.call('EXISTS', KEYS[1]) == '1' then return 0 end", [1]),
        ("if ARGV[1] == 1 then return 0 end", [1]),
        ("if redis.call('SET', KEYS[1], 1) == 'OK' then return 0 end", [1]),
        ("if redis.call('TYPE', KEYS[1]) == 'hash' then return 0 end", [1]),
        (
            "local cursor = '0'\nrepeat\nlocal r = redis.call('SSCAN', KEYS[1], cursor)\ncursor = r[1]\nuntil cursor == 0",
            [5],
        ),
        ("local ttl = redis.call('TTL', KEYS[1])\nif ttl <= ARGV[1] then return 0 end", [2]),
    ],
)
def test_a_text_compared_as_a_number_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL304") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if redis.call('INCR', KEYS[1]) > tonumber(ARGV[1]) then return 0 end",
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end",
        "if tonumber(redis.call('GET', KEYS[1]) or '0') < 5 then return 0 end",
        "if #ARGV > 5 then return 0 end",
        "local n = redis.call('GET', KEYS[1])\nn = tonumber(n) or 0\nif n > 5 then return 0 end",
        "if redis.call('TYPE', KEYS[1]).ok == 'hash' then return 0 end",
        "if redis.call('TYPE', KEYS[1])['ok'] ~= 'none' then return 0 end",
        "if redis.call('GET', KEYS[1]) == '1' then return 0 end",
        "local x = ARGV[1] + 0\nif x > 5 then return 0 end",
        "local cursor = '0'\nrepeat\nlocal r = redis.call('SSCAN', KEYS[1], cursor)\ncursor = r[1]\nuntil cursor == '0'",
        "local v = redis.pcall('GET', KEYS[1])\nif v == 'x' then return 0 end",
        "if redis.call('ZSCORE', KEYS[1], 'a') - 1 > 5 then return 0 end",
    ],
)
def test_a_comparison_of_one_type_is_none(lua: str) -> None:
    assert lines(lua, "RL304") == []
