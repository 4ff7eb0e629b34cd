"""RL207: KEYS changed."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("KEYS[1] = 'p:' .. KEYS[1]\nreturn redis.call('GET', KEYS[1])", [1]),
        ("for i, k in ipairs(KEYS) do KEYS[i] = k:lower() end", [1]),
        ("local keys = KEYS\nkeys[2] = 'x'", [2]),
        ("table.insert(KEYS, ARGV[1])", [1]),
    ],
)
def test_a_change_of_keys_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL207") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local key = KEYS[1]\nkey = key .. 'x'",
        "local keys = {KEYS[1]}\nkeys[2] = 'x'",
        "ARGV[1] = 'x'",
        "local KEYS = {}\nKEYS[1] = 'x'",
        "table.concat(KEYS, ',')",
    ],
)
def test_a_change_of_something_else_is_none(lua: str) -> None:
    assert lines(lua, "RL207") == []
