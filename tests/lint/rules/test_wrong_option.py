"""RL110: options that a command does not have, that exclude each other, or lack their value."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import codes, diagnostics, lines

FIRES = [
    ("redis.call('SET', KEYS[1], ARGV[1], 'NX', 'XX')", [1]),
    ("redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'KEEPTTL')", [1]),
    ("local call = redis.call\ncall('set', KEYS[1], ARGV[1], 'ttl', 5)", [2]),
    ("redis.call('SET', KEYS[1], ARGV[1], 'PX')", [1]),
    ("redis.pcall('ZADD', KEYS[1], 'NX', 'GT', ARGV[1], ARGV[2])", [1]),
    ('local mode = "XX"\nredis.call("EXPIRE", KEYS[1], 60, "NX", mode)', [2]),
    ("redis.call('GETEX', KEYS[1], 'EX', 5, 'PERSIST')", [1]),
    ("redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', 1, 2, 'BYRADIUS', 5, 'COUNT', 10)", [1]),
    ("redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES')", [1]),
    ("redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'UP')", [1]),
    ("redis.call('SCAN', ARGV[1], 'PATTERN', 'a*')", [1]),
    (
        "local function put(key) return redis.call('SET', key, 1, 'EXPIRE', 5) end\nput(KEYS[1])",
        [1],
    ),
    ("redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], KEYS[3], 'AGGREGATE', 'AVG')", [1]),
    ("redis.call('SET', KEYS[1], ARGV[1], 'NX', 'XX', unpack(ARGV))", [1]),
]

SILENT = [
    "redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', 5)",
    "redis.call('SET', KEYS[1], ARGV[1], 'nx', 'GET', 'px', ARGV[2])",
    "redis.call('SET', KEYS[1], ARGV[1], ARGV[2], ARGV[3])",
    "redis.call('SET', KEYS[1], 'NX', 'XX')",
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', unpack(ARGV))",
    "redis.call('EXPIRE', KEYS[1], 60, 'XX', 'GT')",
    "redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[1], ARGV[2])",
    "redis.call('ZADD', KEYS[1], ARGV[1], 'NX')",
    "redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 10)",
    "redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], ARGV[2])",
    "redis.call('RPUSH', KEYS[1], 'EX', 'NX', 'XX')",
    "redis.call('HSET', KEYS[1], 'TTL', 5)",
    "redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, '*', 'f', 'v')",
    "redis.call('XREAD', 'COUNT', 5, 'STREAMS', KEYS[1], KEYS[2], 0, 0)",
    "redis.call('SORT', KEYS[1], 'BY', 'nosort', 'GET', '#', 'GET', 'w_*', 'DESC')",
    "redis.call('SET', KEYS[1], ARGV[1], '{mode}')",
    "redis.call('SET', KEYS[1], ARGV[1], ARGV[2] == '1' and 'NX' or 'XX')",
    "redis.call('BITCOUNT', KEYS[1], 0, -1, 'BIT')",
    "redis.call('FT.SEARCH', 'idx', '*', 'LIMIT')",
    "redis.call(ARGV[1], KEYS[1], 'NX', 'XX')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL110") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL110") == []


def test_what_only_newer_servers_have_is_left_to_another_rule():
    found = codes("return redis.call('SET', KEYS[1], ARGV[1], 'IFEQ', ARGV[2])")

    assert {code for code, _ in found} & {"RL104", "RL110"} == {"RL104"}


@pytest.mark.parametrize(
    "lua", ["redis.call('EXPIRE', KEYS[1])", "redis.call('ZADD', KEYS[1], 1, 'a', 2)"]
)
def test_a_wrong_number_of_arguments_is_reported_once(lua: str):
    assert {code for code, _ in codes(lua)} & {"RL103", "RL110", "RL111"} == {"RL103"}


@pytest.mark.parametrize(
    ("lua", "message", "help_"),
    [
        (
            "redis.call('EXPIRE', KEYS[1], 60, 'NX', 'XX')",
            "`EXPIRE` does not take `'XX'` together with `NX`",
            "leave one of them out",
        ),
        (
            "redis.call('EXPIRE', KEYS[1], 60, 'ONCE')",
            "`EXPIRE` does not take `'ONCE'` here",
            "expected here: `NX`, `XX`, `GT` or `LT`",
        ),
        (
            "redis.call('SET', KEYS[1], ARGV[1], 'EX')",
            "`SET` ends too early: `seconds` (a whole number above 0) is missing behind `'EX'`",
            "",
        ),
    ],
)
def test_the_message_says_what_is_expected(lua: str, message: str, help_: str):
    (found,) = diagnostics(lua, "RL110")

    assert found.message == message
    assert (found.help or "") == help_
