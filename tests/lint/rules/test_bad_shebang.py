"""Shebangs that a server refuses."""

from __future__ import annotations

import pytest
import redis

from redislua.lint.diagnostic import Severity
from tests.lint.rules.firing import diagnostics, fixed, lines

FIRES = [
    ("#!lua flags=no-writes, allow-stale\nreturn 1", [1]),
    ("#!lua name=lib\nreturn 1", [1]),
    ("#!js\nreturn 1", [1]),
    ("#! lua\nreturn 1", [1]),
    ("#!/usr/bin/lua\nreturn 1", [1]),
    ("#!lua flags=readonly\nreturn 1", [1]),
    ("#!lua flags=No-Writes\nreturn 1", [1]),
    ("#!lua flags=no-writes,\nreturn 1", [1]),
    ("#!lua no-writes\nreturn 1", [1]),
    ("#!lua", [1]),
    ("#!LUA\nreturn 1", [1]),
]

LIBRARY = """#!lua name=mylib
local function read(keys, args)
  return redis.call('GET', keys[1])
end
redis.register_function('read', read)
redis.register_function{function_name='peek', callback=read, flags={'no-writes'}}
"""

SILENT = [
    "#!lua\nreturn 1",
    "#!lua flags=no-writes,allow-stale\nreturn 1",
    "#!lua flags=\nreturn 1",
    "#!lua\r\nreturn 1",
    "return 1",
    "#!lua flags=no-writes flags=allow-oom\nreturn 1",
    "#!lua flags=allow-cross-slot-keys\nreturn 1",
]

FIXES = [
    (
        "#!lua flags=no-writes, allow-stale,  no-cluster\nreturn 1",
        "#!lua flags=no-writes,allow-stale,no-cluster\nreturn 1",
    ),
    ("#!lua flags=no-writes, allow-stale\nreturn 1", "#!lua flags=no-writes,allow-stale\nreturn 1"),
    ("#!lua flags=nowrites, allow-stale\nreturn 1", "#!lua flags=nowrites, allow-stale\nreturn 1"),
]

TARGETS = [
    ("#!lua\nreturn 1", ["redis>=6.2"], [1]),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL004") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL004") == []


@pytest.mark.parametrize(("lua", "expected"), FIXES)
def test_it_is_fixed(lua: str, expected: str):
    assert fixed(lua, "RL004") == expected


@pytest.mark.parametrize(("lua", "targets", "expected"), TARGETS)
def test_it_depends_on_the_targets(lua: str, targets: list[str], expected: list[int]):
    assert lines(lua, "RL004", targets=targets) == expected


@pytest.mark.parametrize("lua", [lua for lua, _ in FIRES if not lua.startswith("#!LUA")])
def test_the_server_refuses_what_fires(lua: str, client: redis.Redis):
    with pytest.raises(redis.ResponseError):
        client.eval(lua, 0)


@pytest.mark.parametrize("lua", SILENT)
def test_the_server_takes_what_is_silent(lua: str, client: redis.Redis):
    assert client.eval(lua, 0) == 1


def test_a_library_of_functions_is_no_defect(client: redis.Redis) -> None:
    client.execute_command("FUNCTION", "LOAD", "REPLACE", LIBRARY)
    client.execute_command("FUNCTION", "DELETE", "mylib")

    found = diagnostics(LIBRARY)

    assert [(one.code, one.severity) for one in found if one.severity is not Severity.INFO] == []
    assert ("RL004", 1) in [(one.code, one.line) for one in found]
