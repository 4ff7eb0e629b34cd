"""Limits of Lua."""

from __future__ import annotations

import pytest

from redislua.syntax.gate import compile_error
from tests.lint.rules.firing import lines


def declared(count: int, name: str = "a") -> str:
    """Statements that declare so many locals."""
    return "\n".join(f"local {name}{number} = {number}" for number in range(count))


def summed(count: int, name: str = "a") -> str:
    return " + ".join(f"{name}{number}" for number in range(count))


FIRES = [
    (declared(181), [181]),
    ("local function f()\n" + declared(190) + "\nend", [182]),
    ("local x\nif ARGV[1] then\n" + declared(181) + "\nend", [182]),
    (declared(56) + f"\nlocal function f() return {summed(56)} end", [57]),
    (
        declared(56) + f"\nlocal function f() return function() return {summed(56)} end end",
        [57] * 2,
    ),
]

SILENT = [
    declared(180),
    f"do {declared(100)} end do {declared(100, 'b')} end",
    declared(55) + f"\nlocal function f() return {summed(55)} end",
    "local function f()\n" + declared(100) + "\nend\n" + declared(100, "b"),
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL014") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL014") == []


@pytest.mark.parametrize(
    ("lua", "words"),
    [
        (declared(201), "more than 200 local variables"),
        (declared(61) + f"\nreturn function() return {summed(61)} end", "more than 60 upvalues"),
    ],
)
def test_lua_has_these_limits(lua: str, words: str):
    assert words in str(compile_error("many", lua.encode()))
