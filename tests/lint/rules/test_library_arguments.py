"""RL324: what the functions of `redis` take."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.log('banned ' .. KEYS[1])", [1]),
        ("redis.log('warning', 'banned ' .. KEYS[1])", [1]),
        ("redis.log(redis.LOG_NOTICE)", [1]),
        ("local log = redis.log\nlog(ARGV[1])", [2]),
        ("return redis.error_reply()", [1]),
        ("return redis.error_reply('GONE', 'it is gone')", [1]),
        ("return redis.error_reply(404)", [1]),
        ("return redis.error_reply({err = 'GONE'})", [1]),
        ("return redis.status_reply(tonumber(ARGV[1]))", [1]),
        ("return redis.sha1hex(KEYS[1], ARGV[1])", [1]),
        ("redis.setresp()\nreturn redis.sha1hex()", [1, 2]),
        ("return server.error_reply('A', 'B')", [1]),
        ("local r = redis.pcall('INCR', KEYS[1])\nreturn redis.error_reply(r)", [2]),
    ],
)
def test_a_call_that_is_refused_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL324") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.log(redis.LOG_WARNING, 'a', 'b', ARGV[1])",
        "redis.log('2', 'a')",
        "redis.log(tonumber(ARGV[1]), ARGV[2])",
        "redis.log(unpack(ARGV))",
        "local function report(...) redis.log(...) end\nreport(1, 'a')",
        "return redis.error_reply('GONE it is gone')",
        "local r = redis.pcall('INCR', KEYS[1])\nreturn redis.error_reply(r.err)",
        "return redis.error_reply(ARGV[1])",
        "return redis.sha1hex(5)",
        "local redis = {log = function(text) return text end}\nreturn redis.log('a')",
    ],
)
def test_what_is_taken_is_none(lua: str) -> None:
    assert lines(lua, "RL324") == []
