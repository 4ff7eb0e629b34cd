"""RL323: `not` before a comparison."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if not redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end", [1]),
        ("local n = redis.call('LLEN', KEYS[1])\nif not n > 5 then return 1 end", [2]),
        ("if not ARGV[1] ~= 'x' then return 1 end", [1]),
        ("if not ARGV[1] == nil then return 1 end", [1]),
        ("local was = redis.call('GET', KEYS[1])\nif not was == false then return 1 end", [2]),
        ("local s = cjson.decode(ARGV[1])\nif not s.a == s.b then return 1 end", [2]),
        ("local s = cjson.decode(ARGV[1])\nif not s.a < s.b then return 1 end", [2]),
    ],
)
def test_a_comparison_of_what_not_gives_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL323") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if not (redis.call('GET', KEYS[1]) == ARGV[1]) then return 0 end",
        "if (not ARGV[1]) == (not ARGV[2]) then return 0 end",
        "if not ARGV[1] and ARGV[2] == 'x' then return 0 end",
        "local seen = redis.call('EXISTS', KEYS[1]) == 1\nif not ARGV[1] == seen then return 0 end",
        "if not redis.call('GET', KEYS[1]) then return 0 end",
        "if not ARGV[1] == not ARGV[2] then return 0 end",
        "if not ARGV[1] == (ARGV[2] == 'x') then return 0 end",
    ],
)
def test_what_may_be_meant_is_none(lua: str) -> None:
    assert lines(lua, "RL323") == []


def test_what_may_be_a_boolean_is_a_warning() -> None:
    (found,) = diagnostics("if not ARGV[1] == true then return 0 end", "RL323")
    assert found.severity == "warning"
