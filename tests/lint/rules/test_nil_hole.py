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
    ],
)
def test_a_reply_without_holes_is_none(lua: str) -> None:
    assert lines(lua, "RL309") == []
