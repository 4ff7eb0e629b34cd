"""RL318: texts and arguments of string.format."""

from __future__ import annotations

import lupa.lua51
import pytest

from tests.lint.rules.firing import lines

STOPS = [
    "return string.format('%s:%d', 'a')",
    "return ('%s'):format()",
    "return string.format('%y', 1)",
    "return string.format('100%')",
    "return string.format('%s', nil)",
    "return string.format('%s', 1 == 2)",
    "return string.format('%d', {})",
]
FINE = [
    "return string.format('%s:%d', 'a', 1)",
    "return string.format('%5.2f%%|%-10s|%05d|%q', 1, 'x', 7, 'y')",
    "return string.format('%s %s', unpack({1, 2}))",
    "return string.format('100%%')",
    "return string.format('%x %X %o %c %e %g %i %u', 1, 2, 3, 4, 5, 6, 7, 8)",
]


@pytest.mark.parametrize("lua", STOPS)
def test_what_stops_the_script_is_found(lua: str) -> None:
    with pytest.raises(lupa.lua51.LuaError):
        lupa.lua51.LuaRuntime().execute(lua)

    assert lines(lua, "RL318") == [1]


@pytest.mark.parametrize("lua", FINE)
def test_what_fits_is_none(lua: str) -> None:
    lupa.lua51.LuaRuntime().execute(lua)

    assert lines(lua, "RL318") == []


def test_an_argument_that_is_in_no_option_is_found() -> None:
    assert lines("return string.format('%s', 'a', 'b')", "RL318") == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "return string.format(ARGV[1], 'a')",
        "local ok, text = pcall(string.format, '%d')\nreturn ok and text or 'none'",
        "return string.format('%s', redis.call('GET', KEYS[1]) or '')",
    ],
)
def test_what_is_not_known_is_none(lua: str) -> None:
    assert lines(lua, "RL318") == []
