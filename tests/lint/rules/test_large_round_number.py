"""RL307: great numbers in integer arguments."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('EXPIRE', KEYS[1], 100000000)", [1]),
        ("redis.call('PEXPIRE', KEYS[1], 86400 * 1000 * 100)", [1]),
        ("redis.call('SET', KEYS[1], 1, 'PX', 1e9)", [1]),
    ],
)
def test_a_number_that_gets_an_exponent_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL307", targets=["redis>=7.2"]) == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('EXPIRE', KEYS[1], '100000000')",
        "redis.call('EXPIRE', KEYS[1], 123456789)",
        "redis.call('EXPIRE', KEYS[1], 10000000)",
        "redis.call('ZADD', KEYS[1], 100000000, 'm')",
        "redis.call('EXPIRE', KEYS[1], string.format('%d', 100000000))",
    ],
)
def test_other_numbers_are_none(lua: str) -> None:
    assert lines(lua, "RL307", targets=["redis>=7.2"]) == []


def test_other_versions_write_such_numbers_out() -> None:
    lua = "redis.call('EXPIRE', KEYS[1], 100000000)"

    assert lines(lua, "RL307") == []
    assert lines(lua, "RL307", targets=["redis>=7.4"]) == []
    assert lines(lua, "RL307", targets=["valkey>=8.0"]) == []
    assert lines("redis.call('INCRBY', KEYS[1], 1e17)", "RL307") == [1]
    assert lines("redis.call('INCRBY', KEYS[1], 1e17)", "RL307", targets=["redis>=7.4"]) == []
