"""RL601 on keys whose header says that they expire."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

RULE = "RL601"

HEADER = """\
#!lua
--- Keep something for a while.
--
-- @version 1.0.0
-- @key     state state:{<name>} string expires
-- @key     other other:{<name>} hash
-- @arg     ttl   ms 0..1000
-- @returns int
-- @retry   never
-- @budget  calls<=9 growth=1
-- @example once
--   keep name=a ttl=5ms -> 1

local state, other = KEYS[1], KEYS[2]
local ttl_ms = ARGV[1]

"""
FIRST = HEADER.count("\n") + 1


@pytest.mark.parametrize(
    "body",
    [
        "redis.call('SET', state, 1) return 1",
        "return redis.call('INCR', state)",
        "redis.call('SET', state, 1, 'PX', 5) redis.call('SET', state, 2) return 1",
        (
            "redis.call('APPEND', state, 'x') if ttl_ms ~= '0' then"
            " redis.call('PEXPIRE', state, ttl_ms) end return 1"
        ),
        (
            "redis.call('INCR', state) if ttl_ms == '0' then return 0 end"
            " redis.call('PEXPIRE', state, ttl_ms) return 1"
        ),
        "redis.call('INCR', state) redis.call('PEXPIRE', other, ttl_ms) return 1",
        "if redis.call('GET', state) then redis.call('SET', state, 2) end return 1",
        "local function keep() redis.call('SET', state, 1) end keep() return 1",
        "redis.call('SET', state, 1, 'NX') return 1",
    ],
)
def test_a_write_without_an_expiry_is_found(body: str) -> None:
    assert lines(HEADER + body, RULE) == [FIRST]


@pytest.mark.parametrize(
    "body",
    [
        "redis.call('SET', state, 1, 'PX', ttl_ms) return 1",
        "redis.call('SET', state, 1) redis.call('PEXPIRE', state, ttl_ms) return 1",
        "redis.call('SETEX', state, 5, 1) redis.call('INCR', state) return 1",
        (
            "local n = redis.call('INCR', state) if n == 1 then"
            " redis.call('PEXPIRE', state, ttl_ms) end return n"
        ),
        "if redis.call('INCR', state) == 1 then redis.call('PEXPIRE', state, ttl_ms) end return 1",
        (
            "redis.call('INCR', state) if redis.call('PTTL', state) < 0 then"
            " redis.call('PEXPIRE', state, ttl_ms) end return 1"
        ),
        "redis.call('SET', state, 1, 'KEEPTTL') return 1",
        "if redis.call('GET', state) then redis.call('INCR', state) end return 1",
        (
            "if redis.call('EXISTS', state) == 0 then return 0 end"
            " redis.call('INCR', state) return 1"
        ),
        (
            "local held = redis.call('GET', state) if held ~= ttl_ms then return 0 end"
            " redis.call('INCR', state) return 1"
        ),
        (
            "if ttl_ms == '0' then redis.call('SET', state, 1, 'PX', 9)"
            " else redis.call('INCR', state) redis.call('PEXPIRE', state, ttl_ms) end return 1"
        ),
        (
            "local function keep() redis.call('SET', state, 1) end keep()"
            " redis.call('PEXPIRE', state, ttl_ms) return 1"
        ),
        "redis.call('HSET', other, 'a', 1) return 1",
        "redis.call('SET', state, 1, 'XX', 'KEEPTTL') return 1",
        "local option = 'PX' redis.call('SET', state, 1, option, ttl_ms) return 1",
    ],
)
def test_a_write_that_leaves_an_expiry_is_left_alone(body: str) -> None:
    assert lines(HEADER + body, RULE) == []


@pytest.mark.parametrize(
    ("lua", "found"),
    [
        ("redis.call('XADD', KEYS[1], '*', 'a', 1)", ["info"]),
        ("redis.call('XADD', KEYS[1], '*', unpack(ARGV))", ["info"]),
        ("redis.call('XADD', KEYS[1], 'MAXLEN', '~', 100, '*', 'a', 1)", []),
        ("redis.call('XADD', KEYS[1], unpack(ARGV))", []),
        ("redis.call('XADD', KEYS[1], '*', 'a', 1) redis.call('EXPIRE', KEYS[1], 60)", []),
        ("redis.call('XTRIM', KEYS[1], 'MAXLEN', 9) redis.call('XADD', KEYS[1], '*', 'a', 1)", []),
        ("redis.call('INCR', KEYS[1])", []),
    ],
)
def test_without_a_header_only_streams_are_looked_at(lua: str, found: list[str]) -> None:
    assert [one.severity for one in diagnostics(lua, RULE)] == found
