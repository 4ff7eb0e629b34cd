"""RL315: loops from 0."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("for i = 0, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end", [1]),
        (
            "local t = redis.call('LRANGE', KEYS[1], 0, 9)\nfor i = 0, #t - 1 do redis.call('SADD', KEYS[2], t[i]) end",
            [2],
        ),
        ("local keys = KEYS\nfor n = 0, #keys, 2 do redis.call('DEL', keys[n]) end", [2]),
    ],
)
def test_a_loop_from_0_over_a_list_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL315") == where


@pytest.mark.parametrize(
    "lua",
    [
        "for i = 1, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end",
        "for i = 0, #ARGV - 1 do redis.call('SADD', KEYS[1], ARGV[i + 1]) end",
        "for i = 0, 9 do redis.call('SETBIT', KEYS[1], i, 1) end",
        "local t = {}\nt[0] = 'a'\nfor i = 0, #t do redis.call('SADD', KEYS[1], t[i]) end",
        "for i = 0, #ARGV do redis.call('SADD', KEYS[1], i) end",
    ],
)
def test_other_loops_are_none(lua: str) -> None:
    assert lines(lua, "RL315") == []


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("for i = 1, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end", [1]),
        ("for i = 1, #KEYS do\n  redis.call('COPY', KEYS[i], KEYS[1 + i])\nend", [2]),
        (
            "local t = redis.call('LRANGE', KEYS[1], 0, 9)\nlocal sum = 0\nfor i = 1, #t do sum = sum + t[i] * t[i + 1] end",
            [3],
        ),
        ("for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end", [1]),
    ],
)
def test_an_element_behind_the_last_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL315") == where


@pytest.mark.parametrize(
    "lua",
    [
        "for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end",
        "for i = 1, #ARGV - 1 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end",
        "for i = 1, #ARGV do if i % 2 == 1 then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end end",
        "for i = 1, #ARGV do if not ARGV[i + 1] then break end redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end",
        "for i = 1, #ARGV do local after = ARGV[i + 1] end",
        "for i = 1, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] or '') end",
        "for i = 1, #KEYS do redis.call('HSET', KEYS[1], 'a', ARGV[i + 1]) end",
        "local t = {1}\nfor i = 1, #t do t[i + 1] = 1 redis.call('INCRBY', KEYS[1], t[i + 1]) end",
    ],
)
def test_elements_that_may_be_there_are_none(lua: str) -> None:
    assert lines(lua, "RL315") == []
