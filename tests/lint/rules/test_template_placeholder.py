"""Placeholders of other programs."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return redis.call('GET', '%s')", [1]),
    ("return redis.call('EXPIRE', KEYS[1], %d)", [1]),
    ("local k = 'user:${id}'\nreturn redis.call('GET', k)", [1]),
    ("redis.call('SET', @key, 1)", [1]),
]

SILENT = [
    "return string.format('%s', ARGV[1])",
    "return redis.call('GET', 'user:{id}')",
    "return redis.call('SET', KEYS[1], '{}')",
    '--- @include "other"\nreturn 1',
    "return ARGV[1]:match('^%s+')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL003") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL003") == []
