"""RL316: fields of replies, by name."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local u = redis.call('HGETALL', KEYS[1])\nreturn u.name", [2]),
        ("local u = redis.call('HGETALL', KEYS[1])\nreturn u['name']", [2]),
        ("return redis.call('TIME').seconds", [1]),
        (
            "local rows = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 9)\nreturn rows[1][2].at",
            [2],
        ),
        (
            """local rows = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 9)
               for _, row in ipairs(rows) do
                 local fields = row[2]
                 if fields.at then return row[1] end
               end""",
            [4],
        ),
        (
            "local call = redis.pcall\nlocal u = call('HMGET', KEYS[1], 'a')\nif u.a then return 1 end",
            [3],
        ),
    ],
)
def test_a_name_in_a_reply_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL316") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local u = redis.pcall('HGETALL', KEYS[1])\nif u.err then return u end\nreturn u[1]",
        "return redis.call('SET', KEYS[1], 1, 'EX', 9).ok",
        "redis.setresp(3)\nlocal u = redis.call('HGETALL', KEYS[1])\nreturn u.map.name",
        "local u = redis.call('HGETALL', KEYS[1])\nu.count = #u\nreturn u.count",
        "local u = cjson.decode(redis.call('GET', KEYS[1]) or '{}')\nreturn u.name",
        "local u = {}\nfor i, v in ipairs(redis.call('HGETALL', KEYS[1])) do u[v] = i end\nreturn u.name",
        "local u = redis.call('GET', KEYS[1])\nif ARGV[1] then u = {name = 1} end\nreturn u.name",
    ],
)
def test_what_has_names_is_none(lua: str) -> None:
    assert lines(lua, "RL316") == []
