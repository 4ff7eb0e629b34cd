"""RL325: flat lists of names and values."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

TOP = "local top = redis.call('ZREVRANGE', KEYS[1], 0, 9, 'WITHSCORES')\n"
ALL = "local all = redis.call('HGETALL', KEYS[1])\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (TOP + "for _, m in ipairs(top) do redis.call('HINCRBY', KEYS[2], m, 1) end", [2]),
        (
            TOP
            + "local n = 0\nfor i, m in ipairs(top) do\n  n = n + 1\n"
            + "  redis.call('HINCRBY', KEYS[2], m, 100 / i)\nend",
            [3],
        ),
        (
            ALL
            + "local text = ''\nfor k, v in pairs(all) do text = text .. k .. '=' .. v end\nreturn text",
            [3],
        ),
        (TOP + "for rank, m in pairs(top) do redis.call('DEL', 'user:' .. m) end", [2]),
        (
            ALL
            + "for field, value in pairs(all) do\nredis.call('HSET', KEYS[2], field, value)\nend",
            [3],
        ),
        (
            ALL
            + "local out = {}\nfor name, value in pairs(all) do out[name] = value end\nreturn out.a",
            [3],
        ),
        (
            (
                "for sku, count in pairs(redis.call('hgetall', KEYS[1])) do\n"
                "  redis.call('HINCRBY', KEYS[2], sku, count)\nend"
            ),
            [2],
        ),
        (ALL + "for field in pairs(all) do redis.call('HDEL', KEYS[2], field) end", [2]),
        (
            (
                "local page = redis.call('HSCAN', KEYS[1], 0)\n"
                "for _, field in ipairs(page[2]) do redis.call('HDEL', KEYS[1], field) end"
            ),
            [2],
        ),
        (
            (
                "local due = redis.call('ZPOPMIN', KEYS[1], 10)\n"
                "for _, job in ipairs(due) do redis.call('LPUSH', KEYS[2], job) end"
            ),
            [2],
        ),
    ],
)
def test_a_walk_over_each_element_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL325") == where


@pytest.mark.parametrize(
    "lua",
    [
        TOP + "for i = 1, #top, 2 do redis.call('HINCRBY', KEYS[2], top[i], 1) end",
        TOP + "for i, m in ipairs(top) do if i % 2 == 1 then redis.call('DEL', m) end end",
        TOP + "for i, m in ipairs(top) do redis.call('HSET', KEYS[2], i, m) end",
        TOP + "for i, m in ipairs(top) do redis.call('ZADD', KEYS[i % 2 + 1], 1, m) end",
        TOP
        + "local s\nfor i, m in ipairs(top) do s = i > 2 and redis.call('GET', m) or s end\nreturn s",
        ALL
        + "for _, v in ipairs(all) do redis.call('RPUSH', KEYS[2], 'x', v, tonumber(v) or 0) end",
        ALL + "local copy = {}\nfor i, v in pairs(all) do copy[i] = v end\nreturn copy",
        ALL + "local copy = {}\nfor _, v in ipairs(all) do copy[#copy + 1] = v end\nreturn copy",
        ALL
        + "local field\nfor _, v in ipairs(all) do\n"
        + "  if field then redis.call('HSET', KEYS[2], field, v) field = nil else field = v end\nend",
        ALL
        + "local is_value = false\nfor _, v in ipairs(all) do\n"
        + "  if is_value then redis.call('SADD', KEYS[2], v) end\n  is_value = not is_value\nend",
        "for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('SREM', KEYS[2], m) end",
        "for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, 9)) do redis.call('DEL', m) end",
        (
            "redis.setresp(3)\nfor f, v in pairs(redis.call('HGETALL', KEYS[1]).map) do\n"
            "redis.call('HSET', KEYS[2], f, v)\nend"
        ),
        "for k, v in pairs(cjson.decode(ARGV[1])) do redis.call('HSET', KEYS[1], k, v) end",
    ],
)
def test_what_tells_names_from_values_is_none(lua: str) -> None:
    assert lines(lua, "RL325") == []
