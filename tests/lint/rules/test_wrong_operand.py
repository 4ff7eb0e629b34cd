"""RL320: tables and words where numbers belong."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return redis.call('TIME') - 5", [1]),
        ("local t = redis.call('TIME')\nreturn tonumber(t)", [2]),
        ("local all = redis.call('SMEMBERS', KEYS[1])\nif all > 5 then return 1 end", [2]),
        (
            "local all = redis.call('SMEMBERS', KEYS[1])\nfor i = 1, all do redis.call('INCR', KEYS[2]) end",
            [2],
        ),
        ("return 'moved ' + tonumber(ARGV[1])", [1]),
        ("return 'k:' .. {}", [1]),
    ],
)
def test_a_table_or_a_word_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL320") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return redis.call('TIME')[1] - 5",
        "return '5' + 1",
        "return ' 0x10 ' * 2",
        "local all = redis.call('SMEMBERS', KEYS[1])\nif #all > 5 then return 1 end",
        "local r = redis.pcall('INCR', KEYS[1])\nreturn r + 1",
        "local x = {}\nif ARGV[1] then x = 5 end\nreturn x + 1",
    ],
)
def test_what_can_be_a_number_is_none(lua: str) -> None:
    assert lines(lua, "RL320") == []
