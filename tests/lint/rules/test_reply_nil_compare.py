"""RL302: replies compared with nil."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, fixed, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if redis.call('GET', KEYS[1]) == nil then return 0 end", [1]),
        ("local v = redis.call('HGET', KEYS[1], 'a')\nif v ~= nil then return v end", [2]),
        ("local call = redis.call\nif nil == call('lpop', KEYS[1]) then return 0 end", [2]),
        ("local v = redis.call('HMGET', KEYS[1], 'a', 'b')\nif v[1] == nil then return 0 end", [2]),
        (
            "local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b'))\nif b == nil then return 0 end",
            [2],
        ),
        (
            "local function get(k) return redis.call('GET', k) end\nif get(KEYS[1]) == nil then return 0 end",
            [2],
        ),
        ("local v\nv = redis.call('GET', KEYS[1])\nif (v == nil) then return 0 end", [3]),
        ("if redis.call('ZSCORE', KEYS[1], 'm') == nil or ARGV[1] == nil then return 0 end", [1]),
        (
            "local v, w = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])\nif v == nil or w == false then return 0 end",
            [2],
        ),
    ],
)
def test_a_reply_compared_with_nil_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL302") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if not redis.call('GET', KEYS[1]) then return 0 end",
        "if redis.call('GET', KEYS[1]) == false then return 0 end",
        "if tonumber(redis.call('GET', KEYS[1])) == nil then return 0 end",
        "local v = redis.call('ZRANGE', KEYS[1], 0, 0)\nif v[1] == nil then return 0 end",
        "redis.setresp(3)\nif redis.call('GET', KEYS[1]) == nil then return 0 end",
        "if ARGV[2] == nil then return 0 end",
        # Whoever asks for both knows what comes.
        "local v = redis.call('GET', KEYS[1])\nif v == nil or v == false then return 0 end",
        "local v = redis.call('GET', KEYS[1])\nif (v ~= false and v ~= nil) then return v end",
        "local v = redis.call('GET', KEYS[1])\nif not v or v == nil then return 0 end",
        "local v\nif ARGV[1] then v = redis.call('GET', KEYS[1]) end\nif v == nil then return 0 end",
        "local v = redis.call('GET', KEYS[1])\nlocal d = v and cjson.decode(v).x\nif d == nil then return 0 end",
    ],
)
def test_what_can_be_nil_is_none(lua: str) -> None:
    assert lines(lua, "RL302") == []


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if redis.call('PTTL', KEYS[1]) == false then return 0 end", [1]),
        ("local n = redis.call('EXISTS', KEYS[1])\nif n ~= false then return 1 end", [2]),
        ("if false == redis.call('SMEMBERS', KEYS[1]) then return 0 end", [1]),
    ],
)
def test_a_reply_that_is_never_false_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL302") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if redis.call('SET', KEYS[1], 1, 'NX', 'EX', 9) == false then return 0 end",
        "if redis.call('ZRANK', KEYS[1], 'm') == false then return 0 end",
        "if redis.call('LPOP', KEYS[1], 2) == false then return 0 end",
        "local n = redis.pcall('LLEN', KEYS[1])\nif n == false then return 0 end",
    ],
)
def test_a_reply_that_can_be_false_is_none(lua: str) -> None:
    assert lines(lua, "RL302") == []


def test_the_fix_compares_with_false() -> None:
    lua = "local v = redis.call('GET', KEYS[1])\nif v ~= nil then return v end\nreturn ''\n"

    assert fixed(lua, "RL302") == lua.replace("nil", "false")


@pytest.mark.parametrize(
    ("lua", "severity"),
    [
        ("if redis.call('TTL', KEYS[1]) == nil then return 0 end", "error"),
        ("local all = redis.call('HGETALL', KEYS[1])\nif all == nil then return 0 end", "error"),
        ("local n = redis.call('SCARD', KEYS[1])\nif (n ~= nil) then return n end", "error"),
        ("local n = redis.call('TTL', KEYS[1])\nif n == nil or n < 0 then return 0 end", "info"),
        (
            "local all = redis.call('SMEMBERS', KEYS[1])\nif all ~= nil and #all > 0 then return 1 end",
            "info",
        ),
    ],
)
def test_a_reply_that_is_always_there_is_an_error_where_nothing_else_is_asked(
    lua: str, severity: str
) -> None:
    assert [one.severity for one in diagnostics(lua, "RL302")] == [severity]


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.setresp(3)\nif redis.call('GET', KEYS[1]) == false then return 1 end", [2]),
        (
            "redis.setresp(3)\nlocal v = redis.call('HGET', KEYS[1], 'a')\nif v ~= false then return v end",
            [3],
        ),
        ("redis.setresp(3)\nif redis.call('ZSCORE', KEYS[1], 'a') == false then return 1 end", [2]),
        ("redis.setresp(3)\nif not redis.call('GET', KEYS[1]) then return 1 end", []),
        ("redis.setresp(3)\nif redis.call('GET', KEYS[1]) == nil then return 1 end", []),
        (
            "if ARGV[1] then redis.setresp(3) end\nif redis.call('GET', KEYS[1]) == false then return 1 end",
            [],
        ),
        (
            "redis.setresp(3)\nredis.setresp(2)\nif redis.call('GET', KEYS[1]) == false then return 1 end",
            [],
        ),
        (
            "local v = redis.call('GET', KEYS[1])\nredis.setresp(3)\nif v == false then return 1 end",
            [],
        ),
        ("redis.setresp(2)\nif redis.call('GET', KEYS[1]) == false then return 1 end", []),
    ],
)
def test_a_reply_of_resp3_is_never_false(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL302") == where
