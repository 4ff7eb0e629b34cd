"""RL508 on loops that go on for ever, and on loops that something ends."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import codes, lines

RULE = "RL508"


@pytest.mark.parametrize(
    "lua",
    [
        "while true do end",
        "repeat local x = redis.call('RPOP', KEYS[1]) until false",
        "while 1 do redis.call('INCR', KEYS[1]) end",
        "local i = 0 while i < 3 do redis.call('INCR', KEYS[1]) end",
        "local i = 0 repeat redis.call('INCR', KEYS[1]) until i >= 3",
        # The one that counts is another one.
        "local i = 0 while i < 3 do local i = i + 1 end",
        "local i, j = 0, 0 while i < 3 do j = j + 1 end",
        "local x = redis.call('LPOP', KEYS[1]) while x do redis.call('LPUSH', KEYS[2], x) end",
        "while #ARGV > 0 do redis.call('INCR', KEYS[1]) end",
        "local i = 1 while i <= #ARGV do redis.call('LPUSH', KEYS[1], ARGV[i]) end",
        "local t = redis.call('SMEMBERS', KEYS[1]) while #t > 0 do redis.call('SREM', KEYS[1], t[1]) end",
        "local n = tonumber(ARGV[1]) while math.floor(n / 2) > 0 do redis.call('INCR', KEYS[1]) end",
        # Nobody else changes a key while the script waits for it.
        "while redis.call('GET', KEYS[1]) do end",
        "repeat local v = redis.call('GET', KEYS[1]) until v",
        "while redis.call('EXISTS', KEYS[1]) == 1 do redis.call('LLEN', KEYS[2]) end",
        "local v = redis.call('GET', KEYS[1]) while not v do v = redis.call('GET', KEYS[1]) end",
        "local v repeat v = redis.call('GET', KEYS[1]) until v == ARGV[1]",
        "while not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', 500) do end",
        "while redis.call('SETNX', KEYS[1], ARGV[1]) == 0 do end",
        # What is left is the inner loop.
        "while true do for _ = 1, 3 do break end end",
    ],
)
def test_a_loop_that_nothing_ends_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]
    assert "RL502" not in [code for code, _ in codes(lua)]


@pytest.mark.parametrize(
    "lua",
    [
        "local i = 0 while i < 3 do i = i + 1 end",
        "local i = 0 repeat i = i + 1 until i >= 3",
        "repeat redis.call('INCR', KEYS[1]) until true",
        "while false do end",
        "while true do if redis.call('LLEN', KEYS[1]) == 0 then break end redis.call('LPOP', KEYS[1]) end",
        "while true do do break end end",
        "while true do if redis.call('GET', KEYS[1]) then return 1 end end",
        "local i = 0 while i < 3 do if ARGV[1] then error('x') end end",
        "local function check() assert(ARGV[1]) end local i = 0 while i < 3 do check() end",
        "while redis.call('LLEN', KEYS[1]) > 0 do redis.call('LPOP', KEYS[1]) end",
        "repeat local x = redis.call('RPOP', KEYS[1]) until not x",
        "while redis.call('GET', KEYS[1]) do redis.call('DEL', KEYS[1]) end",
        "local function drop() redis.call('DEL', KEYS[1]) end while redis.call('GET', KEYS[1]) do drop() end",
        "local v = 1 while v do v = redis.call('GET', KEYS[1]) end",
        "while not redis.call('GET', KEYS[1]) do redis.call('SET', KEYS[1], 1, 'NX') end",
        "local i, v = 0 repeat i = i + 1 if i > 3 then v = redis.call('GET', KEYS[1]) end until v",
        "local i = 0 while redis.call('LINDEX', KEYS[1], i) do i = i + 1 end",
        "repeat local v = redis.call('SRANDMEMBER', KEYS[1]) until v == ARGV[1]",
        "local i = 0 local function step() i = i + 1 end while i < 3 do step() end",
        "local x = redis.call('LPOP', KEYS[1]) while x do x = redis.call('LPOP', KEYS[1]) end",
        "while #ARGV > 0 do table.remove(ARGV) end",
        "local a = ARGV while #ARGV > 0 do a[#a] = nil end",
        "local i = 1 while ARGV[i] do ARGV[1] = nil end",
        "local t = {1} while #t > 0 do t[#t] = nil end",
        "local t = {1} while #t > 0 do table.remove(t) end",
        "local t = {1} local u = t while #t > 0 do u[#u] = nil end",
        "local t = {n = 1} while t.n > 0 do t.n = t.n - 1 end",
        "local t = {1} local function cut(x) x[#x] = nil end while #t > 0 do cut(t) end",
        "counter = 0 while counter < 3 do counter = counter + 1 end",
        "while more() do end",
        "for _ = 1, 3 do local x = 1 while x < 3 do x = x + 1 end end",
    ],
)
def test_a_loop_that_something_ends_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
