"""RL309: nil within replies."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return {1, nil, 3}", [1]),
        ("return {false, 'TAKEN'}", [1]),
        ("local n = tonumber(redis.call('GET', KEYS[1]))\nreturn {n, 1}", [2]),
        (
            "local ok = redis.call('EXISTS', KEYS[1]) == 1\nreturn {ok, redis.call('TTL', KEYS[1])}",
            [2],
        ),
        ("local v = redis.call('GET', KEYS[1])\nreturn {v, redis.call('TTL', KEYS[1])}", [2]),
        ("local out = {false, 1}\nreturn out", [1]),
        ("local x\nif ARGV[1] then x = 1 end\nreturn {1, x, 3}", [3]),
        (
            "local x\nif ARGV[1] then x = 1 elseif ARGV[2] then x = 2 end\nlocal out = {x, 3}\nreturn out",
            [3],
        ),
        ("local t = {}\nt[1] = ARGV[1]\nt[3] = ARGV[2]\nreturn t", [3]),
        ("local t = {}\nt[2] = ARGV[1]\nreturn t", [2]),
    ],
)
def test_a_hole_in_a_reply_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL309") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return {1, 2, 3}",
        "return {1, nil}",
        "return {redis.call('TTL', KEYS[1]), redis.call('GET', KEYS[1])}",
        "local v = redis.call('GET', KEYS[1])\nif not v then return {0} end\nreturn {v, 1}",
        "return {redis.call('GET', KEYS[1]) or '', 1}",
        "local t = {nil, 1}\nreturn #t",
        "local n = tonumber(redis.call('GET', KEYS[1]) or 0)\nreturn {n, 1}",
        "local x\nif ARGV[1] then x = 1 else x = 2 end\nreturn {1, x, 3}",
        "local x\nif ARGV[1] then x = 1 end\nif not x then x = 2 end\nreturn {1, x, 3}",
        "local x\nif ARGV[1] then x = 1 end\nx = x or 0\nreturn {1, x, 3}",
        "local x\nif ARGV[1] then x = 1 end\nif ARGV[1] then return {1, x, 3} end",
        "local x\nif ARGV[1] then x = 1 end\nif not ARGV[1] then return 0 end\nreturn {1, x, 3}",
        "local x\nif ARGV[1] then x = 1 end\nreturn {1, 3, x}",
        "local x\nx = 1\nreturn {x, 3}",
        "local x, y = unpack(ARGV)\nif y == '1' then x = 1 end\nreturn {x, 3}",
        "local t = {}\nt[1] = ARGV[1]\nt[2] = ARGV[2]\nreturn t",
        "local t = {}\nif ARGV[1] then t[1] = 1 else t[2] = 2 end\nreturn t",
        "local t = {}\nt[1] = 1\nt[#t + 1] = 2\nt[4] = 3\nreturn t",
        "local t = {}\ntable.insert(t, 1)\nt[2] = 3\nreturn t",
    ],
)
def test_a_reply_without_holes_is_none(lua: str) -> None:
    assert lines(lua, "RL309") == []
