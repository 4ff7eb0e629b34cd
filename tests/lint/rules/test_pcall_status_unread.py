"""RL409: results of `pcall` that may be errors."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

WRITE = "redis.call('SET', KEYS[1], 1)\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local status, result = pcall(cjson.decode, ARGV[1])\n" + WRITE + "return result", [1]),
        ("local _, order = pcall(cjson.decode, ARGV[1])\nreturn order.id", [1]),
        (
            "local function f() return redis.call('GET', KEYS[1]) end\nlocal ok, v = pcall(f)\nreturn 'got ' .. v",
            [2],
        ),
        ("local ok, n = xpcall(function() return 5 end, print)\nreturn n + 1", [1]),
        (
            "local ok, t = pcall(cmsgpack.unpack, ARGV[1])\nfor _, v in ipairs(t) do redis.call('DEL', v) end",
            [1],
        ),
    ],
)
def test_a_result_that_is_used_unseen_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL409") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local ok, order = pcall(cjson.decode, ARGV[1])\nif not ok then return 0 end\nreturn order.id",
        "local _, order = pcall(cjson.decode, ARGV[1])\nif type(order) ~= 'table' then return 0 end\nreturn order.id",
        "local ok, order = pcall(cjson.decode, ARGV[1])\nreturn ok and order.id",
        "local ok, err = pcall(redis.call, 'DEL', KEYS[1])\nreturn 1",
        "local ok = pcall(cjson.decode, ARGV[1])\nreturn 1",
        "local ok, r = pcall(cjson.decode, ARGV[1])\nlocal function see(x) return type(x) end\nreturn see(r)",
        "local ok, r = pcall(cjson.decode, ARGV[1])\nif r == nil then return 0 end\nreturn 1",
        "local ok, a = pcall(cjson.decode, ARGV[1])\na = a or {}\nif ok then return a.id end",
    ],
)
def test_what_is_looked_at_is_none(lua: str) -> None:
    assert lines(lua, "RL409") == []
