"""RL204: several slots in one command."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('RENAME', KEYS[1], 'old:' .. ARGV[1])", [1]),
        ("redis.call('SUNIONSTORE', KEYS[1], KEYS[1], KEYS[1] .. ':more')", [1]),
        ("redis.call('MSET', 'a', 1, 'b', 2)", [1]),
        ("local dst = 'done:' .. ARGV[1]\nredis.call('RPOPLPUSH', KEYS[1], dst)", [2]),
        ("redis.call('DEL', 'a:' .. ARGV[1], 'b:' .. ARGV[1])", [1]),
    ],
)
def test_keys_that_nothing_keeps_on_one_slot_are_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL204") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('RENAME', KEYS[1], KEYS[2])",
        "redis.call('DEL', KEYS[1] .. ':meta')",
        "redis.call('MSET', '{a}:1', 1, '{a}:2', 2)",
        "redis.call('SUNIONSTORE', KEYS[1], unpack(KEYS, 2))",
        "redis.call('RENAME', KEYS[1], '{' .. KEYS[1] .. '}:old')",
        "redis.call('SMOVE', KEYS[1], KEYS[2], ARGV[1])",
        "redis.call('RENAME', KEYS[1], unknown())",
    ],
)
def test_keys_of_one_slot_are_none(lua: str) -> None:
    assert lines(lua, "RL204") == []
