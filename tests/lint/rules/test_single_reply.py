"""RL319: one command into several variables."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local a, b = redis.call('HMGET', KEYS[1], 'a', 'b')\nreturn b", [1]),
        ("local reply, err = redis.pcall('GET', KEYS[1])\nreturn err", [1]),
        (
            "local call = redis.call\nlocal a, b\na, b = call('LRANGE', KEYS[1], 0, 1)\nreturn b",
            [3],
        ),
    ],
)
def test_a_variable_that_gets_nothing_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL319") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))\nreturn b",
        "local a, b = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])\nreturn {a or '', b}",
        "local ok, reply = pcall(redis.call, 'GET', KEYS[1])\nreturn ok and reply",
        "local function two() return 1, 2 end\nlocal a, b = two()\nreturn {a, b}",
    ],
)
def test_what_gives_several_is_none(lua: str) -> None:
    assert lines(lua, "RL319") == []
