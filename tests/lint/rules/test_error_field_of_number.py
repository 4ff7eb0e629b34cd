"""RL321: fields of numbers."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local r = redis.pcall('ZADD', KEYS[1], 1, 'm')\nif r.err then return r end", [2]),
        ("local r = redis.pcall('INCR', KEYS[1])\nif r['err'] then return r end", [2]),
        ("return redis.call('LLEN', KEYS[1]).ok", [1]),
        (
            "local r = redis.pcall('INCR', KEYS[1])\nif r.err then\nreturn redis.error_reply(r.err)\nend",
            [2],
        ),
    ],
)
def test_a_field_of_a_number_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL321") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local r = redis.pcall('INCR', KEYS[1])\nif type(r) == 'table' and r.err then return r end",
        "local r = redis.pcall('GET', KEYS[1])\nif r.err then return r end",
        "local r = redis.pcall('SET', KEYS[1], 1, 'EX', 9)\nif r.err then return r end",
        "local r = redis.pcall('HGETALL', KEYS[1])\nif r.err then return r end",
        "local ok, e = pcall(function() return redis.pcall('INCR', KEYS[1]).err end)\nreturn ok and e",
    ],
)
def test_what_has_fields_is_none(lua: str) -> None:
    assert lines(lua, "RL321") == []
