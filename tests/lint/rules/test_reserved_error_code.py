"""Codes that clients believe."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("return redis.error_reply('LOADING not ready')", [1]),
    ("return {err = 'MOVED away'}", [1]),
    ("error({err = 'BUSY x'})", [1]),
    ("return redis.error_reply('-NOAUTH x')", [1]),
    ("return redis.error_reply('READONLY')", [1]),
    ("return redis.error_reply('OOM ' .. ARGV[1])", [1]),
    ("return redis.error_reply(string.format('ASK %s', ARGV[1]))", [1]),
    ("return redis.error_reply(ARGV[1])", [1]),
    ("local e = {err = 'NOSCRIPT x'}\nreturn e", [1]),
    ("return redis.error_reply('ERR max number of clients reached')", [1]),
]

SILENT = [
    "return redis.error_reply('LOADINGS x')",
    "return redis.error_reply('NOFUNDS x')",
    "return redis.error_reply('ERR x')",
    "return {ok = 'MOVED'}",
    "local r = redis.pcall('GET', KEYS[1]) return redis.error_reply(r.err)",
    "return cjson.encode({err = 'BUSY x'})",
    "return redis.error_reply('MY' .. 'BUSY x')",
    "return redis.error_reply('BUSY' .. 'BODY')",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL408") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL408") == []


def test_a_callers_code_is_a_warning():
    (found,) = diagnostics("return redis.error_reply(ARGV[1] .. ' x')", "RL408")

    assert found.severity == "warning"
