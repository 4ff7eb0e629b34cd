"""RL301: replies that are missing."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local n = tonumber(redis.call('GET', KEYS[1]))\nreturn n + 1", [2]),
        ("return redis.call('GET', KEYS[1]) + 1", [1]),
        ("local n = redis.call('GET', KEYS[1])\nreturn 'x' .. n", [2]),
        (
            "local v = redis.call('HMGET', KEYS[1], 'a', 'b')\nlocal a = tonumber(v[1]) or 0\nlocal b = tonumber(v[2])\nreturn a + b",
            [4],
        ),
        ("local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))\nreturn a * 2", [2]),
        ("if tonumber(redis.call('GET', KEYS[1])) < 5 then return 1 end", [1]),
        (
            "local get = function(k) return tonumber(redis.call('GET', k)) end\nreturn get(KEYS[1]) - 1",
            [2],
        ),
        ("local doc = cjson.decode(redis.call('GET', KEYS[1]))", [1]),
        ("local v = redis.call('GET', KEYS[1])\nif v == nil then v = 0 end\nreturn v + 1", [3]),
        ("local v = redis.call('GET', KEYS[1])\nlocal shown = v or 0\nreturn math.max(v, 1)", [3]),
        ("local v = redis.call('GET', KEYS[1])\nreturn v:sub(1, 3)", [2]),
        ("local v = redis.call('LPOP', KEYS[1])\nredis.call('RPUSH', KEYS[2], v)", [2]),
        (
            "local r = redis.call\nlocal score = r('ZSCORE', KEYS[1], ARGV[1])\nr('ZADD', KEYS[2], score * 2, ARGV[1])",
            [3],
        ),
        (
            "local n = tonumber(redis.call('get', KEYS[1]))\nfor i = 1, n do redis.call('INCR', KEYS[2]) end",
            [2],
        ),
        # Another field, or one on some path only, proves nothing.
        (
            "if ARGV[1] == '1' then redis.call('HINCRBY', KEYS[1], 'up', 1) end\nreturn redis.call('HGET', KEYS[1], 'at') / 2",
            [2],
        ),
        (
            "redis.call('HSET', KEYS[1], 'up', 1)\nreturn redis.call('HGET', KEYS[1], 'at') / 2",
            [2],
        ),
        # A key that is there may lack a field.
        (
            "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\nreturn redis.call('HGET', KEYS[1], 'at') / 2",
            [2],
        ),
        (
            "if redis.call('HEXISTS', KEYS[1], 'by') == 1 then\nreturn 'x' .. redis.call('HGET', KEYS[1], 'at') end",
            [2],
        ),
        (
            "local left = redis.call('TTL', KEYS[1])\nreturn left - redis.call('HGET', KEYS[1], 'at')",
            [2],
        ),
        # What is asked in vain says nothing of the other elements.
        (
            "local e = redis.call('HMGET', KEYS[1], 'a', 'b')\nif e[1] == nil then return 0 end\nreturn e[2] * 2",
            [3],
        ),
        (
            "local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))\nif nil == a then return 0 end\nreturn b * 2",
            [3],
        ),
        (
            "local e = redis.call('MGET', KEYS[1], KEYS[2])\nlocal a = e[1]\nif (a == nil) then a = 0 end\nreturn a + 1",
            [4],
        ),
        # Arrays may be false, or have no elements.
        (
            "local res = redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 9, 'STREAMS', KEYS[1], '>')\nreturn res[1][2]",
            [2],
        ),
        (
            "local id = redis.call('ZPOPMIN', KEYS[1])[1]\nredis.call('LPUSH', KEYS[2], id)",
            [2],
        ),
        ("return redis.call('ZRANGE', KEYS[1], 0, 0)[1] .. '!'", [1]),
        ("local b = {n = redis.call('GET', KEYS[1]), at = 5}\nreturn b.n + b.at", [2]),
        ("local b = {['n'] = tonumber(redis.call('GET', KEYS[1]))}\nreturn 'x' .. b['n']", [2]),
        ("local r = redis.call('SET', KEYS[1], 1, 'NX')\nif r.ok == 'OK' then return 1 end", [2]),
        # What another key lacks, or what another field is worth, gives no value to this one.
        (
            "local b = redis.call('HMGET', KEYS[1], 'n', 'at')\nlocal at = b[2]\nif not redis.call('GET', KEYS[2]) then at = 1 end\nreturn at * 2",
            [4],
        ),
        (
            "local b = redis.call('HMGET', KEYS[1], 'n', 'at')\nlocal at = b[2]\nif (tonumber(b[1]) or 0) > 5 then at = 1 end\nreturn at * 2",
            [4],
        ),
    ],
)
def test_a_reply_that_may_be_missing_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL301") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return tonumber(redis.call('GET', KEYS[1]) or 0) + 1",
        "return (tonumber(redis.call('GET', KEYS[1])) or 0) + 1",
        "local n = redis.call('GET', KEYS[1])\nif not n then return 0 end\nreturn n + 1",
        "local n = redis.call('GET', KEYS[1])\nif n then return tonumber(n) + 1 end\nreturn 0",
        "local n = tonumber(redis.call('GET', KEYS[1]))\nif n == nil then n = 0 end\nreturn n + 1",
        "local n = redis.call('GET', KEYS[1])\nif n == false then n = 0 end\nreturn n + 1",
        "local v = redis.call('GET', KEYS[1])\nlocal n = tonumber(v)\nif not v then return 0 end\nreturn n + 1",
        "local n = redis.call('GET', KEYS[1]) or 0\nreturn n + 1",
        "if redis.call('HEXISTS', KEYS[1], 'at') == 0 then return 0 end\nreturn redis.call('HGET', KEYS[1], 'at') / 2",
        "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('HGET', KEYS[1], 'at') / 2 end\nredis.call('HSET', KEYS[1], 'at', 1)",
        "local e = redis.call('HMGET', KEYS[1], 'a', 'b')\nif e[1] == false then return 0 end\nreturn e[2] * 2",
        "local e = redis.call('HMGET', KEYS[1], unpack(ARGV))\nif e[1] == nil then return 0 end\nreturn e[2] * 2",
        "redis.setresp(3)\nlocal e = redis.call('HMGET', KEYS[1], 'a', 'b')\nif e[1] == nil then return 0 end\nreturn e[2] * 2",
        "return redis.call('INCR', KEYS[1]) + 1",
        "redis.call('HSET', KEYS[1], 'at', 1)\nreturn redis.call('HGET', KEYS[1], 'at') / 2",
        "if not redis.call('HGET', KEYS[1], 'at') then redis.call('HSET', KEYS[1], 'at', 1, 'n', 2) end\nreturn redis.call('HGET', KEYS[1], 'n') / 2",
        "local rows = redis.call('ZRANGE', KEYS[1], 0, 0)\nif #rows == 0 then return 0 end\nreturn rows[1] .. '!'",
        "local rows = redis.call('ZRANGE', KEYS[1], 0, 0)\nif #rows == 0 or rows[1] + 1 > 5 then return 1 end",
        "local rows = redis.call('ZRANGE', KEYS[1], 0, 0)\nif rows[1] then return rows[1] .. '!' end",
        "if redis.call('ZCARD', KEYS[1]) == 0 then return 0 end\nreturn redis.call('ZRANGE', KEYS[1], 0, 0)[1] .. '!'",
        "local res = redis.call('XREAD', 'COUNT', 9, 'STREAMS', KEYS[1], '0')\nif not res then return {} end\nreturn res[1][2]",
        "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\nreturn redis.call('GET', KEYS[1]) + 1",
        "redis.call('SET', KEYS[1], 1, 'NX')\nreturn redis.call('GET', KEYS[1]) + 1",
        "while redis.call('LLEN', KEYS[1]) > 0 do local v = redis.call('LPOP', KEYS[1]) redis.call('SADD', KEYS[2], v) end",
        "local v = redis.call('HMGET', KEYS[1], 'a', 'b')\nif not v[1] then return 0 end\nreturn v[1] + v[2]",
        "local t = redis.call('TIME')\nreturn tonumber(t[1]) * 1000 + t[2] / 1000",
        "return tonumber(ARGV[1]) + 1",
        "local ok = pcall(function() return redis.call('GET', KEYS[1]) + 1 end)",
        "local n = redis.call('GET', KEYS[1])\nreturn n and n + 1 or 0",
        "local n\nif redis.call('EXISTS', KEYS[1]) == 1 then n = 1 else n = 2 end\nreturn n + 1",
        "local n = assert(redis.call('GET', KEYS[1]), 'none')\nreturn n + 1",
        "local b = {n = redis.call('GET', KEYS[1]) or 0}\nreturn b.n + 1",
        "local b = {n = redis.call('GET', KEYS[1])}\nif not b.n then b.n = 0 end\nreturn b.n + 1",
        "local b = {n = redis.call('GET', KEYS[1])}\nif b.n then return b.n + 1 end",
        "local b = {n = redis.call('GET', KEYS[1])}\nfill(b)\nreturn b.n + 1",
        "local b = {n = redis.call('GET', KEYS[1])}\nb[ARGV[1]] = 0\nreturn b.n + 1",
        "local r = redis.call('SET', KEYS[1], 1)\nif r.ok == 'OK' then return 1 end",
        "local r = redis.call('SET', KEYS[1], 1, 'NX')\nif r and r.ok == 'OK' then return 1 end",
        # Both are given a value where one is missing.
        "local b = redis.call('HMGET', KEYS[1], 'n', 'at')\nlocal n, at = tonumber(b[1]), tonumber(b[2])\nif n == nil then n, at = 5, 0 end\nreturn ARGV[1] - at + n",
        "local b = redis.call('HMGET', KEYS[1], 'n', 'at')\nlocal at = b[2]\nif not b[1] then at = ARGV[1] end\nreturn ARGV[1] - at",
    ],
)
def test_a_reply_that_is_there_or_tested_is_none(lua: str) -> None:
    assert lines(lua, "RL301") == []


def test_what_is_always_reached_is_an_error() -> None:
    lua = "local n = redis.call('GET', KEYS[1])\n"
    certain = lua + "return n + 1"
    possible = lua + "if ARGV[1] == 'x' then return n + 1 end"

    assert [one.severity for one in diagnostics(certain, "RL301")] == ["error"]
    assert [one.severity for one in diagnostics(possible, "RL301")] == ["warning"]


def test_a_branch_that_is_never_taken_leaves_nothing() -> None:
    lua = """local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))
if a == nil then return 0 end
return b + 1"""

    assert [one.severity for one in diagnostics(lua, "RL301")] == ["error"]


def test_a_field_of_a_key_that_is_there_is_a_warning() -> None:
    lua = """if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HGET', KEYS[1], 'at') / 2"""

    assert [one.severity for one in diagnostics(lua, "RL301")] == ["warning"]


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (
            (
                "local id = redis.call('RPOP', KEYS[1])\nif not id then\n"
                "  id = redis.call('ZPOPMIN', KEYS[2])[1]\n  redis.call('LPUSH', KEYS[3], id)\nend"
            ),
            [4],
        ),
        (
            (
                "local v = redis.call('GET', KEYS[1])\nif not v then\n"
                "  v = redis.call('GET', KEYS[2])\n  return v + 1\nend"
            ),
            [4],
        ),
        (
            (
                "local v = redis.call('GET', KEYS[1])\nif not v then\n"
                "  v = redis.call('GET', KEYS[2])\n  if not v then return 0 end\n  return v + 1\nend"
            ),
            [],
        ),
        ("local v = redis.call('GET', KEYS[1])\nif not v then v = ARGV[1] end\nreturn v + 1", []),
        (
            (
                "local v = redis.call('GET', KEYS[1])\nif v then v = v + 1 else v = 1 end\n"
                "return redis.call('SET', KEYS[1], v)"
            ),
            [],
        ),
    ],
)
def test_a_test_tells_nothing_of_what_is_assigned_after_it(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL301") == where


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local m = redis.call('SPOP', KEYS[1], 2)\nredis.call('SADD', KEYS[2], m[1])", [2]),
        ("redis.call('SADD', KEYS[2], redis.call('SRANDMEMBER', KEYS[1], 1)[1])", [1]),
        (
            "local m = redis.call('SPOP', KEYS[1], 2)\nif #m > 0 then redis.call('DEL', m[1]) end",
            [],
        ),
        (
            "for _, m in ipairs(redis.call('SPOP', KEYS[1], 2)) do redis.call('SADD', KEYS[2], m) end",
            [],
        ),
    ],
)
def test_an_array_of_some_members_may_be_empty(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL301") == where


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if v and tonumber(v) > 3 then return 0 end\nreturn v + 1", [3]),
        ("if v then redis.call('INCR', KEYS[2]) end\nreturn v + 1", [3]),
        ("if (v ~= false) then redis.call('INCR', KEYS[2]) end\nreturn v + 1", [3]),
        ("if v == 'open' then return 0 end\nreturn v + 1", [3]),
        ("if ARGV[1] and v then return 0 end\ndo return v + 1 end", [3]),
        # What is asked elsewhere, or leaves, or gives a value, may tell.
        ("if v then return v + 1 end", []),
        ("if v then return 1 else return 0 end\nreturn v + 1", []),
        ("if v == nil then return 0 end\nlocal w = v == false\nreturn v + 1", []),
        ("local ok = v and 1\nif ok then return v + 1 end", []),
        ("local ok = 0\nif v then ok = 1 end\nif ok == 1 then return v + 1 end", []),
        ("local ok = 0\nif v then ok = 1 end\nif ok == 0 then return 0 end\nreturn v + 1", []),
        ("if not v then v = 0 end\nreturn v + 1", []),
        ("if v then redis.call('DEL', KEYS[2]) end\nif not v then return 0 end\nreturn v + 1", []),
        ("if v then v = tonumber(v) else v = 0 end\nreturn v + 1", []),
    ],
)
def test_what_is_asked_for_one_branch_tells_nothing_behind_it(lua: str, where: list[int]) -> None:
    assert lines("local v = redis.call('GET', KEYS[1])\n" + lua, "RL301") == where
