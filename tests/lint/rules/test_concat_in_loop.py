"""RL505 on strings that grow."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL505"


@pytest.mark.parametrize(
    "lua",
    [
        "local s = '' for _, k in ipairs(KEYS) do s = s .. k end return s",
        "local s = '' for _, k in ipairs(KEYS) do s = k .. ',' .. s end return s",
        "local s = '' for i = 1, #ARGV do if i > 1 then s = (s .. ',') .. ARGV[i] end end return s",
        "local n, s = 0, '' while n < 99 do n, s = n + 1, s .. n end return s",
        "local s = '' for i = 1, 2 do for _, k in ipairs(KEYS) do s = s .. k end end return s",
    ],
)
def test_a_string_that_grows_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "local s = '' s = s .. KEYS[1] return s",
        "for _, k in ipairs(KEYS) do local s = 'a' s = s .. k redis.call('GET', s) end",
        "local s = '' for i = 1, 8 do s = s .. i end return s",
        "local s = 0 for _, k in ipairs(ARGV) do s = s + k end return s",
        "local s, t = '', 'x' for _, k in ipairs(KEYS) do s = t .. k end return s",
        "local t = {} for i, k in ipairs(KEYS) do t[i] = k .. ',' end return table.concat(t)",
    ],
)
def test_what_does_not_grow_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
