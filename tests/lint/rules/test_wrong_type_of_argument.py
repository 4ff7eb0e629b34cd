"""RL111: texts and keys where a command takes a number."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import codes, diagnostics, lines

FIRES = [
    ("redis.call('EXPIRE', KEYS[1], '90d')", [1]),
    ("redis.call('INCRBY', KEYS[1], 'x')", [1]),
    ("redis.call('ZADD', KEYS[1], 'member', 5)", [1]),
    ("redis.call('SETEX', KEYS[1], 1.5, ARGV[1])", [1]),
    ("local ttl = 'forever'\nredis.call('SET', KEYS[1], 1, 'EX', ttl)", [2]),
    ("local ttl = ARGV[1] .. 's'\nredis.call('EXPIRE', KEYS[1], ttl)", [2]),
    ("redis.call('ZADD', KEYS[1], 'user:' .. ARGV[1], ARGV[2])", [1]),
    ("redis.call('ZADD', KEYS[1], KEYS[2], tonumber(ARGV[1]))", [1]),
    ("redis.call('GET', KEYS[1])\nredis.call('ZADD', KEYS[2], KEYS[1], ARGV[1])", [2]),
    ("local key, n = KEYS[1], KEYS[2]\nredis.call('EXPIRE', n, key)\nredis.call('DEL', key)", [2]),
    ("redis.call('XADD', KEYS[1], 'MAXLEN', '~', '1000', 'type', 'ack', 'by', ARGV[1])", [1]),
    ("redis.call('LRANGE', KEYS[1], 0, 'end')", [1]),
    ("redis.call('SET', KEYS[1], ARGV[1], 'PX', 0)", [1]),
    ("local c = redis.call\nc('zrangebyscore', KEYS[1], '[1', ARGV[1])", [2]),
    ("redis.call('HINCRBYFLOAT', KEYS[1], 'f', 'one')", [1]),
]

SILENT = [
    "redis.call('EXPIRE', KEYS[1], 90)",
    "redis.call('EXPIRE', KEYS[1], '90')",
    "redis.call('EXPIRE', KEYS[1], ARGV[1])",
    "redis.call('EXPIRE', KEYS[1], KEYS[2])",
    "redis.call('EXPIRE', KEYS[1], '{ttl}')",
    "redis.call('EXPIRE', KEYS[1], '%d')",
    "redis.call('EXPIRE', KEYS[1], ARGV[1] .. '000')",
    "redis.call('PEXPIREAT', KEYS[1], 1900000000000)",
    "redis.call('INCRBY', KEYS[1], 10000000000000000)",
    "redis.call('ZADD', KEYS[1], '+inf', ARGV[1])",
    "redis.call('ZADD', KEYS[1], 1.5, 'member')",
    "redis.call('ZADD', KEYS[1], ARGV[1], KEYS[1])",
    "redis.call('ZADD', KEYS[1], ARGV[1], KEYS[2])\nredis.call('DEL', KEYS[2])",
    "redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf')",
    "redis.call('ZRANGE', KEYS[1], '[' .. ARGV[1], '+', 'BYLEX')",
    "redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, '(' .. tostring(tonumber(ARGV[1]) - 5))",
    "redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[1], '[' .. ARGV[1] .. '\\255')",
    "redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])",
    "redis.call('XADD', KEYS[1], ARGV[1] .. '-*', 'f', 'v')",
    "redis.call('XADD', KEYS[1], '5-1', 'f', 'v')",
    "redis.call('SET', KEYS[1], 'x')",
    "redis.call('HSET', KEYS[1], 'n', 'x')",
    "redis.call('EXPIRE', KEYS[1], ARGV[1] == 'long' and '900' or '90')",
    "redis.call('BITFIELD', KEYS[1], 'SET', 'u8', '#1', 7)",
    "redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', KEYS[1], '>')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL111") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL111") == []


def test_a_constant_with_a_fraction_is_reported_once():
    found = codes("redis.call('SETEX', KEYS[1], 1.5, ARGV[1])")

    assert {code for code, _ in found} & {"RL306", "RL111"} == {"RL111"}


def test_the_message_says_what_is_expected():
    (found,) = diagnostics("redis.call('ZADD', KEYS[1], 'NZ', 5, ARGV[1], 'm')", "RL111")

    assert found.message == "`ZADD` does not take `'NZ'` here"
    assert found.help is not None
    assert found.help.endswith("`INCR` or `score` (a number)")
