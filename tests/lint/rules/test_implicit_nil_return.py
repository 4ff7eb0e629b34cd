"""RL311: scripts that end without a reply."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if ARGV[1] == 'x' then return 1 end\nredis.call('DEL', KEYS[1])", [2]),
        ("if ARGV[1] == 'x' then\n  return 1\nend", [1]),
        ("if ARGV[1] == 'x' then return 1 elseif ARGV[1] == 'y' then return 2 end", [1]),
        (
            "while true do if not redis.call('LPOP', KEYS[1]) then break end end\nif ARGV[1] == 'x' then return 1 end",
            [2],
        ),
        ("for i = 1, 3 do\n  if ARGV[i] == 'x' then return i end\nend", [1]),
    ],
)
def test_an_end_without_a_reply_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL311") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return 1",
        "redis.call('DEL', KEYS[1])",
        "if ARGV[1] == 'x' then return end\nredis.call('DEL', KEYS[1])",
        "if ARGV[1] == 'x' then return 1 else return 2 end",
        "if ARGV[1] == 'x' then return 1 end\nerror({err = 'BAD x'})",
        "if ARGV[1] == 'x' then return 1 else return 2 end\nredis.call('DEL', KEYS[1])",
        "do return 1 end\nif ARGV[1] then return 2 end",
        "if ARGV[1] then error('BAD x') else return 2 end\nlocal n = 1",
        "while true do\n  if redis.call('LPOP', KEYS[1]) == ARGV[1] then return 1 end\nend",
        "local function f() if ARGV[1] then return 1 end end\nf()",
    ],
)
def test_a_script_that_replies_or_never_does_is_none(lua: str) -> None:
    assert lines(lua, "RL311") == []
