"""Functions that a server lacks."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("return os.time()", [1]),
    ("print('x')", [1]),
    ("local t = {1}\nreturn table.unpack(t)", [2]),
    ("local c = os.clock()", [1]),
    ("return server.call('GET', KEYS[1])", [1]),
    ("local json = require('cjson')", [1]),
    ("return ARGV[1]:split(',')", [1]),
    ("return redis.Call('GET', KEYS[1])", [1]),
    ("return utf8.len(ARGV[1])", [1]),
    ("return setfenv(1, {})", [1]),
    ("local u = table.unpack\nreturn u({1})", [1]),
]

SILENT = [
    "return unpack or table.unpack",
    "local u = table.unpack or unpack",
    "if redis.acl_check_cmd then return redis.acl_check_cmd('GET', 'a') end",
    "if redis.foo then return redis.foo() end",
    "pcall(function() return os.time() end)",
    "local os = {} return os.time",
    "return ARGV[1]:sub(1)",
    "local t = {} return t:split()",
    "return redis.VALKEY_VERSION and 1 or 0",
    "return math.pi, cjson.null, bit.band(1, 1)",
    "return redis or server",
]

TARGETS = [
    ("return os.clock()", ["redis>=7.4"], []),
    ("return os.clock()", ["redis>=7.2"], [1]),
    ("return server.call('GET', KEYS[1])", ["valkey>=8.0"], []),
    ("return os.time()", ["redis>=8.0"], [1]),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL012") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL012") == []


@pytest.mark.parametrize(("lua", "targets", "expected"), TARGETS)
def test_it_depends_on_the_targets(lua: str, targets: list[str], expected: list[int]):
    assert lines(lua, "RL012", targets=targets) == expected
