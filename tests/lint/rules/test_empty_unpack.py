"""RL112 on commands that get the elements of an empty list."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

RULE = "RL112"
READ = "local ids = redis.call('SMEMBERS', KEYS[1])\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('DEL', unpack(redis.call('KEYS', ARGV[1])))", [1]),
        (READ + "redis.call('DEL', unpack(ids))", [2]),
        (READ + "redis.call('SREM', KEYS[2], unpack(ids))", [2]),
        (READ + "return redis.call('MGET', table.unpack(ids))", [2]),
        (READ + "if ARGV[1] then redis.call('UNLINK', unpack(ids)) end", [2]),
        (READ + "local n = #ids\nredis.call('UNLINK', unpack(ids))\nreturn n", [3]),
        (READ + "redis.call('HMGET', KEYS[2], unpack(ids))\nif #ids > 0 then return 1 end", [2]),
        (
            "local due = redis.call('ZRANGE', KEYS[1], 0, ARGV[1], 'BYSCORE')\nredis.call('LPUSH', KEYS[2], unpack(due))",
            [2],
        ),
        ("redis.call('RPUSH', KEYS[2], unpack(redis.call('SINTER', KEYS[1], KEYS[3])))", [1]),
    ],
)
def test_elements_of_a_list_that_may_be_empty_are_found(lua: str, where: list[int]) -> None:
    assert lines(lua, RULE) == where


@pytest.mark.parametrize(
    "lua",
    [
        READ + "if #ids > 0 then redis.call('DEL', unpack(ids)) end",
        READ + "if #ids == 0 then return 0 end\nredis.call('DEL', unpack(ids))",
        READ + "if next(ids) then redis.call('DEL', unpack(ids)) end",
        READ + "if ids[1] then redis.call('DEL', unpack(ids)) end",
        READ + "local n = #ids\nif n > 0 then redis.call('DEL', unpack(ids)) end",
        READ + "local any = #ids > 0 and redis.call('DEL', unpack(ids))",
        READ + "while #ids > 0 do redis.call('DEL', unpack(ids)) ids = {} end",
        READ
        + "for i = 1, #ids, 1000 do redis.call('DEL', unpack(ids, i, math.min(i + 999, #ids))) end",
        READ + "redis.call('SADD', KEYS[2], 'all', unpack(ids))",
        READ + "local r = redis.pcall('DEL', unpack(ids))",
        "redis.call('SADD', KEYS[1], ARGV[1])\n" + READ + "redis.call('DEL', unpack(ids))",
        "if redis.call('SCARD', KEYS[1]) == 0 then return 0 end\n"
        + READ
        + "redis.call('DEL', unpack(ids))",
        "redis.call('DEL', unpack(KEYS))",
        "redis.call('DEL', unpack(ARGV))",
        "local ids = redis.call('HMGET', KEYS[1], 'a', 'b')\nredis.call('SADD', KEYS[2], unpack(ids))",
        "local ids = {}\nids[1] = KEYS[1]\nredis.call('DEL', unpack(ids))",
    ],
)
def test_what_is_asked_for_or_never_empty_is_none(lua: str) -> None:
    assert lines(lua, RULE) == []


def test_what_is_always_reached_is_an_error() -> None:
    certain = READ + "redis.call('DEL', unpack(ids))"
    possible = READ + "if ARGV[1] then redis.call('DEL', unpack(ids)) end"

    assert [one.severity for one in diagnostics(certain, RULE)] == ["error"]
    assert [one.severity for one in diagnostics(possible, RULE)] == ["warning"]
