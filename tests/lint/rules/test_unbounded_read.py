"""RL501 on reads with and without a bound."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

RULE = "RL501"

HEADER = """\
#!lua flags=no-writes
--- Read what is there.
--
-- @version 1.0.0
-- @key     queue queue:{<name>} list
-- @arg     count int 1..100
-- @returns int
-- @retry   safe
-- @budget  BUDGET
-- @example nothing is there
--   read name=a count=5 -> 0

local queue = KEYS[1]
local count = ARGV[1]

return #redis.call('LRANGE', queue, 0, -1) + tonumber(count)
"""


@pytest.mark.parametrize(
    "lua",
    [
        "if redis.call('SCARD', KEYS[1]) > 1 then return redis.call('SMEMBERS', KEYS[1]) end",
        "return redis.call('SMEMBERS', KEYS[1])",
        # So many, or more.
        "if redis.call('SCARD', KEYS[1]) > 100000 then return redis.call('SMEMBERS', KEYS[1]) end",
        "local n = redis.call('ZCARD', KEYS[1]) if ARGV[1] and 50 <= n then return redis.call('ZRANGE', KEYS[1], 0, -1) end",
        "local n = redis.call('LLEN', KEYS[1]) if n < 100 then return {} end return redis.call('LRANGE', KEYS[1], 0, -1)",
        "local n = redis.call('LLEN', KEYS[1]) if n - 1 <= 99 then return {} else return redis.call('LRANGE', KEYS[1], 0, -1) end",
        "local n = 0 for _, x in ipairs(redis.call('SMEMBERS', KEYS[1])) do n = n + #x end return n",
        "local all = redis.call('SMEMBERS', KEYS[1]) for _, x in ipairs(all) do redis.call('LPUSH', KEYS[2], x) end",
        "return redis.call('lrange', KEYS[1], 0, -1)",
        "return redis.call('LRANGE', KEYS[1], '0', '-1')",
        "local n = redis.call('LLEN', KEYS[1]) return redis.call('LRANGE', KEYS[1], 0, n - 1)",
        "return redis.call('LRANGE', KEYS[1], ARGV[1], -1)",
        "return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')",
        "return redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE')",
        "return redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, -1)",
        "local R = {call = redis.call} return R.call('XRANGE', KEYS[1], '-', '+')",
        "return redis.call('SORT', KEYS[1], 'BY', 'nosort')",
        "return redis.call('XREAD', 'STREAMS', KEYS[1], ARGV[1])",
        'return redis.call("GEOSEARCH", KEYS[1], "FROMLONLAT", 1, 2, "BYRADIUS", 3, "km")',
        "if redis.call('LLEN', KEYS[1]) > 0 then return redis.call('LRANGE', KEYS[1], 0, -1) end",
        # One number that it is not tells nothing of how many there are.
        "if redis.call('SCARD', KEYS[1]) == 0 then return {} end return redis.call('SMEMBERS', KEYS[1])",
        "if redis.call('SCARD', KEYS[1]) ~= 0 then return redis.call('SMEMBERS', KEYS[1]) end",
        "local n = redis.call('SCARD', KEYS[1]) if n ~= 4 and ARGV[1] then return 0 end return redis.call('SMEMBERS', KEYS[1])",
        "local none = redis.call('SCARD', KEYS[1]) == 0 return none or redis.call('SMEMBERS', KEYS[1])",
        "redis.call('SADD', KEYS[1], 1) if redis.call('SCARD', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], 9) end return redis.call('SMEMBERS', KEYS[1])",
    ],
)
def test_what_reads_as_much_as_there_is_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "return redis.call('LRANGE', KEYS[1], 0, 99)",
        "if redis.call('SCARD', KEYS[1]) < 1000 then return redis.call('SMEMBERS', KEYS[1]) end",
        "if redis.call('SCARD', KEYS[1]) > 1000 then return {} end return redis.call('SMEMBERS', KEYS[1])",
        "if redis.call('SCARD', KEYS[1]) > 1000 then return {} else return redis.call('SMEMBERS', KEYS[1]) end",
        "local n = redis.call('SCARD', KEYS[1]) if n > 2 and n < 9 then return redis.call('SMEMBERS', KEYS[1]) end",
        (
            "redis.call('RPUSH', KEYS[1], ARGV[1]) if redis.call('LLEN', KEYS[1]) >= 100 then"
            " local all = redis.call('LRANGE', KEYS[1], 0, -1) redis.call('DEL', KEYS[1]) return all end"
        ),
        # So many, and not one more.
        "if redis.call('SCARD', KEYS[1]) == 4 then return redis.call('SMEMBERS', KEYS[1]) end",
        "local n = redis.call('SCARD', KEYS[1]) if (n == 4) and ARGV[1] then return redis.call('SMEMBERS', KEYS[1]) end",
        "if redis.call('SCARD', KEYS[1]) ~= 4 then return {} end return redis.call('SMEMBERS', KEYS[1])",
        # The loop over it is what is told.
        "for _, x in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('LPUSH', KEYS[2], x) end",
        "for i = 1, #redis.call('LRANGE', KEYS[1], 0, -1) do redis.call('LPUSH', KEYS[2], i) end",
        "return redis.call('LRANGE', KEYS[1], -10, -1)",
        "return redis.call('LRANGE', KEYS[1], -tonumber(ARGV[1]), -1)",
        "return redis.call('ZRANGE', KEYS[1], 0, ARGV[1])",
        "return redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, 100)",
        "return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1])",
        "return redis.call('ZRANGEBYSCORE', KEYS[1], 0, 9, unpack(ARGV))",
        "return redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])",
        "return redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 10)",
        "redis.call('LTRIM', KEYS[1], 0, 99) return redis.call('LRANGE', KEYS[1], 0, -1)",
        (
            "if redis.call('SCARD', KEYS[1]) > 100 then return 0 end"
            " return redis.call('SMEMBERS', KEYS[1])"
        ),
        (
            "local n = redis.call('HLEN', KEYS[1]) if n <= tonumber(ARGV[1]) then"
            " return redis.call('HGETALL', KEYS[1]) end"
        ),
        "redis.call('HINCRBY', KEYS[1], 'hits', 1) return redis.call('HGETALL', KEYS[1])",
        "return redis.call('SRANDMEMBER', KEYS[1], 10)",
    ],
)
def test_what_is_bounded_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []


def test_a_whole_hash_is_an_info_since_most_are_objects():
    found = diagnostics("return redis.call('HGETALL', KEYS[1])", RULE)

    assert [one.severity for one in found] == ["info"]


def test_a_header_that_says_over_what_the_cost_grows_is_believed():
    declared = HEADER.replace("BUDGET", "calls<=1 growth=linear n=count")

    assert lines(HEADER.replace("BUDGET", "calls<=1 growth=1"), RULE) == [16]
    assert lines(declared, RULE) == []
