"""RL327 on ranges in which nothing ever is."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL327"


@pytest.mark.parametrize(
    "words",
    [
        "'ZRANGEBYSCORE', KEYS[1], '+inf', '-inf'",
        "'ZRANGEBYSCORE', KEYS[1], 100, 0",
        "'ZREVRANGEBYSCORE', KEYS[1], '-inf', '+inf'",
        "'ZREVRANGEBYSCORE', KEYS[1], 0, '100', 'LIMIT', 0, 5",
        "'ZCOUNT', KEYS[1], 'inf', 0",
        "'ZREMRANGEBYSCORE', KEYS[1], '+inf', 5",
        "'ZRANGE', KEYS[1], '-inf', '+inf', 'BYSCORE', 'REV'",
        "'ZRANGE', KEYS[1], 9, 1, 'BYSCORE'",
        "'ZRANGE', KEYS[1], 9, 0, 'REV'",
        "'LRANGE', KEYS[1], -1, -10",
        "'lrange', KEYS[1], 5, 0",
        "'GETRANGE', KEYS[1], 5, 2",
        "'XRANGE', KEYS[1], '+', '-'",
        "'XREVRANGE', KEYS[1], '-', '+', 'COUNT', 1",
    ],
)
def test_a_range_that_ends_before_it_begins_is_found(words: str) -> None:
    assert lines(f"return redis.call({words})", RULE) == [1]


@pytest.mark.parametrize(
    "words",
    [
        "'ZRANGEBYSCORE', KEYS[1], '-inf', '+inf'",
        "'ZRANGEBYSCORE', KEYS[1], 5, 5",
        "'ZRANGEBYSCORE', KEYS[1], '(5', '(5'",
        "'ZRANGEBYSCORE', KEYS[1], ARGV[1], '-inf'",
        "'ZREVRANGEBYSCORE', KEYS[1], '+inf', '-inf'",
        "'ZRANGE', KEYS[1], '+inf', '-inf', 'BYSCORE', 'REV'",
        "'ZRANGE', KEYS[1], '+inf', '-inf', ARGV[1], 'REV'",
        "'ZRANGE', KEYS[1], '[z', '[a', 'BYLEX'",
        "'ZRANGE', KEYS[1], 0, 9, 'REV'",
        "'LRANGE', KEYS[1], 0, -1",
        "'LRANGE', KEYS[1], -1, 0",
        "'LTRIM', KEYS[1], 1, 0",
        "'XRANGE', KEYS[1], '-', '+'",
        "'XRANGE', KEYS[1], '5', '4'",
        "'XREVRANGE', KEYS[1], '+', '-'",
    ],
)
def test_a_range_in_which_something_may_be_is_none(words: str) -> None:
    assert lines(f"return redis.call({words})", RULE) == []
