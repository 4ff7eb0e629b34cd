"""RL314: indexes taken for elements."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("for word in ipairs(ARGV) do redis.call('SADD', KEYS[1], word) end", [1]),
        ("local t = {'a', 'b'}\nfor name in ipairs(t) do redis.call('DEL', 'x:' .. name) end", [2]),
        ("for job in ipairs(ARGV) do if job.id == 1 then return 1 end end", [1]),
    ],
)
def test_an_index_taken_for_an_element_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL314") == where


@pytest.mark.parametrize(
    "lua",
    [
        "for _, word in ipairs(ARGV) do redis.call('SADD', KEYS[1], word) end",
        "for i in ipairs(ARGV) do redis.call('SADD', KEYS[1], ARGV[i]) end",
        "for at in ipairs(ARGV) do redis.call('SADD', KEYS[1], ARGV[at]) end",
        "for word in pairs({a = 1}) do redis.call('SADD', KEYS[1], word) end",
        "local n = 0\nfor count in ipairs(ARGV) do n = count + n end\nreturn n",
    ],
)
def test_an_index_used_as_such_is_none(lua: str) -> None:
    assert lines(lua, "RL314") == []
