"""RL310: tables with names as replies."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return {count = 1}", [1]),
        ("local r = {}\nr.count = redis.call('LLEN', KEYS[1])\nreturn r", [3]),
        ("return {1, {name = 'x'}}", [1]),
        ("local function answer() return {allowed = true} end\nreturn answer()", [1]),
        ("if ARGV[1] == 'x' then return {['a'] = 1} end\nreturn 1", [1]),
        ("local rows = {}\nfor i = 1, 3 do rows[#rows + 1] = {id = i} end\nreturn rows", [2]),
        ("return {ok = false, holder = ARGV[1]}", [1]),
        ("return {ok = #ARGV}", [1]),
        ("return {err = 'BAD no', code = 5}", [1]),
        ("local o = cjson.decode(ARGV[1])\nif o.a == 1 then return 1 end\nreturn o", [3]),
        ("return {ok = 'OK', ARGV[1]}", [1]),
        ("return {err = 'BUSY ' .. ARGV[1], redis.call('TTL', KEYS[1])}", [1]),
        ("local sums = {}\nfor i = 1, #ARGV do sums[ARGV[i]] = i end\nreturn sums", [3]),
        (
            "local out = {}\nfor i, k in ipairs(KEYS) do out[k] = redis.call('GET', k) end\nreturn out",
            [3],
        ),
        ("return {[ARGV[1]] = 5}", [1]),
        (
            "local t = {}\nfor _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do t['x' .. m] = 1 end\nreturn t",
            [3],
        ),
    ],
)
def test_a_table_whose_fields_are_lost_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL310") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return {1, 2}",
        "return {err = 'BAD no'}",
        "return {ok = 'FINE'}",
        "return {ok = ARGV[1]}",
        "return {err = 'BAD no', source = 'here', line = 5}",
        "local e = {}\ne.err = 'BAD ' .. ARGV[1]\nreturn e",
        "return cjson.encode({a = 1})",
        "local t = {a = 1}\nreturn t.a",
        "local t = {a = 1}\nreturn {t.a, 2}",
        "redis.setresp(3)\nreturn {map = {a = 1}}",
        "local function options() return {a = 1} end\nlocal o = options()\nreturn o.a",
        "return redis.status_reply('OK')",
        "local seen = {}\nfor i = 1, #ARGV do\nif not seen[ARGV[i]] then seen[ARGV[i]] = true seen[#seen + 1] = ARGV[i] end\nend\nreturn seen",
        "local rows = {}\nfor i = 1, #ARGV do rows[i] = ARGV[i] end\nreturn rows",
        "local rows = {}\nfor i = 1, #ARGV do rows[tonumber(ARGV[i])] = 1 end\nreturn rows",
        "local sums = {}\nsums[ARGV[1]] = 1\nreturn cjson.encode(sums)",
        "local sums = {}\nsums[ARGV[1]] = 1\nreturn sums[ARGV[2]]",
    ],
)
def test_a_list_or_a_text_is_none(lua: str) -> None:
    assert lines(lua, "RL310") == []
