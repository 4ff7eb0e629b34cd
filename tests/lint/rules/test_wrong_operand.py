"""RL320: tables and words where numbers belong."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return redis.call('TIME') - 5", [1]),
        ("local t = redis.call('TIME')\nreturn tonumber(t)", [2]),
        ("local all = redis.call('SMEMBERS', KEYS[1])\nif all > 5 then return 1 end", [2]),
        (
            "local all = redis.call('SMEMBERS', KEYS[1])\nfor i = 1, all do redis.call('INCR', KEYS[2]) end",
            [2],
        ),
        ("return 'moved ' + tonumber(ARGV[1])", [1]),
        ("return 'k:' .. {}", [1]),
        ("local t = {1}\nreturn string.len(t)", [2]),
        ("local o = cjson.decode(ARGV[1])\no.n = 1\nreturn string.upper(o)", [3]),
        (
            "local o = cjson.decode(ARGV[1])\nfor _, v in ipairs(o) do redis.call('INCR', v) end\nreturn 'x' .. o",
            [3],
        ),
        ("return math.floor(redis.call('TIME'))", [1]),
        ("return cjson.decode(redis.call('LRANGE', KEYS[1], 0, 5))", [1]),
        ("local is_new = redis.call('SADD', KEYS[1], ARGV[1]) == 1\nreturn is_new + 1", [2]),
        ("return 'new: ' .. (redis.call('SADD', KEYS[1], ARGV[1]) == 1)", [1]),
        ("return #redis.call('LLEN', KEYS[1])", [1]),
        ("local n = tonumber(ARGV[1]) or 0\nfor i = 1, #n do redis.call('INCR', KEYS[i]) end", [2]),
    ],
)
def test_a_table_or_a_word_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL320") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return redis.call('TIME')[1] - 5",
        "return '5' + 1",
        "return ' 0x10 ' * 2",
        "local all = redis.call('SMEMBERS', KEYS[1])\nif #all > 5 then return 1 end",
        "local r = redis.pcall('INCR', KEYS[1])\nreturn r + 1",
        "local o = cjson.decode(ARGV[1])\nif ARGV[2] then o.n = 1 end\nreturn string.upper(o)",
        "local o = cjson.decode(ARGV[1])\nreturn string.upper(o.n)",
        "local o = cjson.decode(ARGV[1])\no.n = 1\no = cjson.encode(o)\nreturn string.upper(o)",
        "return #ARGV[1] + #KEYS + #redis.call('GET', KEYS[1])",
        "return string.gsub(ARGV[1], '%w', {a = 'b'})",
        "local ok = pcall(function() return math.floor({}) end)\nreturn tostring(ok)",
        "local x = {}\nif ARGV[1] then x = 5 end\nreturn x + 1",
    ],
)
def test_what_can_be_a_number_is_none(lua: str) -> None:
    assert lines(lua, "RL320") == []
