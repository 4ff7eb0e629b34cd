"""RL503 on commands that take many."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

RULE = "RL503"
EACH = "for _, id in ipairs(ARGV) do"


@pytest.mark.parametrize(
    "lua",
    [
        f"{EACH} redis.call('SREM', KEYS[1], id) end",
        "for i = 1, #ARGV, 2 do redis.call('hset', KEYS[1], ARGV[i], ARGV[i + 1]) end",
        "for _, key in ipairs(KEYS) do redis.call('DEL', key) end",
        f"local call = redis.call local queue = KEYS[1] {EACH} call('RPUSH', queue, id) end",
        f"{EACH} if id ~= '' then redis.pcall('XACK', KEYS[1], 'group', id) end end",
        f"{EACH} redis.call('ZADD', KEYS[1], 0, cjson.encode({{id}})) end",
    ],
)
def test_a_command_for_each_element_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        f"{EACH} if redis.call('SISMEMBER', KEYS[1], id) == 0 then redis.call('SADD', KEYS[1], id) return id end end",
        f"{EACH} if id == 'x' then redis.call('SADD', KEYS[1], id) break end end",
        f"{EACH} redis.call('HINCRBY', KEYS[1], id, 1) end",
        "for _, key in ipairs(KEYS) do redis.call('SADD', key, ARGV[1]) end",
        f"local n = 0 {EACH} n = n + redis.call('SREM', KEYS[1], id) end return n",
        f"{EACH} redis.call('ZADD', KEYS[1], 'NX', 0, id) end",
        "for i = 1, 4 do redis.call('SADD', KEYS[1], ARGV[i]) end",
        (
            "while true do local id = redis.call('LPOP', KEYS[1]) if not id then break end"
            " redis.call('SREM', KEYS[2], id) end"
        ),
        f"{EACH} redis.call('SADD', KEYS[1], 'same') end",
        f"{EACH} redis.call('SADD', KEYS[1], unpack(ARGV)) end",
    ],
)
def test_what_cannot_be_one_call_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
