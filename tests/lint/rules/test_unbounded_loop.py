"""RL502 on loops that data ends, and loops that something bounds."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL502"
POP = "local x = redis.call('RPOP', KEYS[1]) if not x then break end"
READ = "local ids = redis.call('SMEMBERS', KEYS[1])"


@pytest.mark.parametrize(
    "lua",
    [
        f"while true do {POP} end",
        f"repeat {POP} until false",
        "local c = '0' repeat local r = redis.call('SCAN', c) c = r[1] until c == '0'",
        "local x = redis.call('LPOP', KEYS[1]) while x do x = redis.call('LPOP', KEYS[1]) end",
        "while redis.call('EXISTS', KEYS[1]) == 1 do redis.call('LPOP', KEYS[1]) end",
        f"{READ} for _, id in ipairs(ids) do redis.call('LPUSH', KEYS[2], id) end",
        f"{READ} for i = 1, #ids do redis.call('LPUSH', KEYS[2], ids[i]) end",
        (
            f"local function drop(id) redis.call('LPUSH', KEYS[2], id) end"
            f" {READ} for _, id in pairs(ids) do drop(id) end"
        ),
        (
            f"local function all(t) for _, id in ipairs(t) do redis.call('LPUSH', KEYS[2], id) end end"
            f" {READ} all(ids) all(ARGV)"
        ),
        "local n = redis.call('LLEN', KEYS[1]) if n > 500 then for _ = 1, n do redis.call('LPOP', KEYS[1]) end end",
        "for i = 1, redis.call('LLEN', KEYS[1]) do redis.call('LPOP', KEYS[1]) end",
        (
            "local i, n = 0, redis.call('LLEN', KEYS[1]) while i < n do"
            " redis.call('LPOP', KEYS[1]) i = i + 1 end"
        ),
        "for i = 1, 100000 do redis.call('LPUSH', KEYS[1], i) end",
        "local function down(k) if redis.call('EXISTS', k) == 1 then down(k) end end down(KEYS[1])",
        (
            f"local n = 0 {READ} for _, id in ipairs(ids) do if n >= 10 then break end"
            " if redis.call('SREM', KEYS[2], id) == 1 then n = n + 1 end end"
        ),
        "repeat local some = redis.call('SPOP', KEYS[1], 9) until #some < 9",
    ],
)
def test_a_loop_that_only_data_ends_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "local n = redis.call('LLEN', KEYS[1])\nif n > 500 then n = 500 end\nfor _ = 1, n do redis.call('LMOVE', KEYS[1], KEYS[1], 'RIGHT', 'LEFT') end",
        "local n = redis.call('LLEN', KEYS[1])\nif n > 500 then return 0 end\nfor _ = 1, n do redis.call('LMOVE', KEYS[1], KEYS[1], 'RIGHT', 'LEFT') end",
        f"for _ = 1, 100 do {POP} end",
        f"{READ} for i = 1, ids do redis.call('LPUSH', KEYS[2], i) end",
        f"for _ = 1, tonumber(ARGV[1]) do {POP} end",
        "for _, key in ipairs(KEYS) do redis.call('INCR', key) end",
        f"local n = 0 while n < 100 do {POP} n = n + 1 end",
        f"local n = 0 while true do {POP} n = n + 1 if n == 100 then break end end",
        (
            "local got = {} while #got < tonumber(ARGV[1]) do"
            " local x = redis.call('RPOP', KEYS[1]) if not x then break end got[#got + 1] = x end"
        ),
        (
            "local n = 0 while n < 9 do local x = redis.call('RPOP', KEYS[1])"
            " if x then n = n + 1 else break end end"
        ),
        (
            "local ids = redis.call('LRANGE', KEYS[1], 0, 99)"
            " for _, id in ipairs(ids) do redis.call('SREM', KEYS[2], id) end"
        ),
        f"{READ} for i = 1, #ids, 1000 do redis.call('SREM', KEYS[2], unpack(ids, i, i + 999)) end",
        f"{READ} local n = 0 for _, id in ipairs(ids) do n = n + tonumber(id) end",
        (
            f"{READ} local n = 0 for _, id in ipairs(ids) do redis.call('SREM', KEYS[2], id)"
            " n = n + 1 if n >= 100 then break end end"
        ),
        "local i = 1 while i <= #ARGV do redis.call('INCR', ARGV[i]) i = i + 2 end",
        f"repeat {POP} until true",
        f"while false do {POP} end",
        "local text = ARGV[1] while #text < 10 do text = '0' .. text end return text",
    ],
)
def test_a_loop_that_something_bounds_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []


HEADER = """\
#!lua
--- Add many.
--
-- @version 1.0.0
-- @key     queue queue:{<name>} list
-- @arg     count int RANGE
-- @returns int
-- @retry   never
-- @budget  calls<=100 growth=1
-- @example two
--   add name=a count=2 -> 2

local queue = KEYS[1]
local count = ARGV[1]

for number = 1, tonumber(count) do
  redis.call('RPUSH', queue, number)
end
return tonumber(count)
"""


def test_a_number_from_the_caller_needs_a_range_in_the_header():
    assert lines(HEADER.replace(" RANGE", " 1..100"), RULE) == []
    assert lines(HEADER.replace(" RANGE", ""), RULE) == [16]
