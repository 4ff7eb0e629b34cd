"""RL208: missing keys hidden."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('GET', tostring(KEYS[1]))", [1]),
        ("local log = KEYS[2] or 'audit'\nredis.call('RPUSH', log, 1)", [1]),
        ("local owner = tostring(ARGV[1])\nredis.call('SET', KEYS[1], owner)", [1]),
        ("local k = KEYS\nredis.call('DEL', (k[2] or k[1]))", [2]),
    ],
)
def test_a_missing_key_that_is_hidden_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL208") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SET', KEYS[1], ARGV[1] or 'x')",
        "if KEYS[1] == nil or KEYS[2] == nil then return 0 end",
        "if not (KEYS[1] or KEYS[2]) then return 0 end",
        "redis.call('SET', KEYS[1], tostring(redis.call('TTL', KEYS[1])))",
        "return redis.error_reply('BAD ' .. tostring(ARGV[1]))",
        "for i = 1, #KEYS do redis.call('DEL', tostring(KEYS[i])) end",
    ],
)
def test_a_default_of_an_argument_is_none(lua: str) -> None:
    assert lines(lua, "RL208") == []
