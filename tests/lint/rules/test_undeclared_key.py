"""RL201: keys that are not in KEYS."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('GET', 'user:' .. ARGV[1])", [1]),
        ('local id = ARGV[1]\nlocal key = "user:" .. id\nredis.call("HGET", key, "name")', [3]),
        ("redis.call('DEL', ARGV[1])", [1]),
        ("redis.call('INCR', 'total')", [1]),
        ("local call = redis.call\ncall('INCR', 'total')", [2]),
        ("redis.call('SADD', string.format('tag:%s', ARGV[1]), 1)", [1]),
        ("redis.call('SADD', ('tag:%s'):format(ARGV[1]), 1)", [1]),
        ("redis.call('GET', table.concat({'user', ARGV[1]}, ':'))", [1]),
        ("for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', id) end", [1]),
        ("for i = 1, #ARGV do redis.call('DEL', 'job:' .. ARGV[i]) end", [1]),
        (
            "local function get(key) return redis.call('GET', key) end\nget(KEYS[1])\nget('user:' .. ARGV[1])",
            [3],
        ),
        (
            "local function get(key) return redis.call('GET', key) end\nget('a:' .. ARGV[1])\nget('user:' .. ARGV[1])",
            [1],
        ),
        ("redis.call('MSET', KEYS[1], 1, 'b', 2)", [1]),
        ("redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], 'all')", [1]),
        ("redis.call('DEL', unpack(ARGV))", [1]),
        ("redis.call('DEL', cjson.decode(ARGV[1]).key)", [1]),
    ],
)
def test_a_key_that_is_not_in_keys_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL201") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('GET', KEYS[1])",
        "local keys = KEYS\nfor i, key in ipairs(keys) do redis.call('GET', key) end",
        "redis.call('DEL', unpack(KEYS))",
        "redis.call('GET', KEYS[1] .. ':meta')",
        "local key\nif ARGV[1] == 'a' then key = KEYS[1] else key = KEYS[2] end\nredis.call('GET', key)",
        "local key = KEYS[2] or KEYS[1]\nredis.call('GET', key)",
        "redis.call('PUBLISH', 'news', ARGV[1])",
        "if ARGV[1] ~= KEYS[1] then return 0 end\nreturn redis.call('GET', ARGV[1])",
        "local known = {}\nfor _, k in ipairs(KEYS) do known[k] = true end\nif known[ARGV[1]] then return redis.call('GET', ARGV[1]) end",
        "local function is_mine(key) for _, k in ipairs(KEYS) do if k == key then return true end end end\nif is_mine(ARGV[1]) then return redis.call('GET', ARGV[1]) end",
        "--!df flags=allow-undeclared-keys\nreturn redis.call('GET', 'user:' .. ARGV[1])",
        "--!df flags=disable-atomicity,allow-undeclared-keys\nreturn redis.call('GET', 'a')",
        "local t = {a = KEYS[1], b = KEYS[2]}\nreturn redis.call('GET', t.b)",
        "redis.call(ARGV[1], 'user')",
        "return redis.call('GET', KEY[1])",
        (
            "local q_of = {} for i = 2, #KEYS do q_of[ARGV[i - 1]] = KEYS[i] end\nlocal who = redis.call('RPOP', KEYS[1])\nlocal q = who and q_of[who]\nif q then return redis.call('RPOP', q) end"
        ),
    ],
)
def test_a_declared_or_checked_key_is_none(lua: str) -> None:
    assert lines(lua, "RL201") == []


@pytest.mark.parametrize(
    ("lua", "severity"),
    [
        ("redis.call('GET', 'a')", "error"),
        ("redis.call('GET', ARGV[1])", "error"),
        ("redis.call('GET', 'job:' .. redis.call('RPOP', KEYS[1]))", "error"),
        ("redis.call('GET', redis.call('RPOP', KEYS[1]))", "warning"),
        ("local k = KEYS[1] if ARGV[1] then k = ARGV[2] end redis.call('GET', k)", "warning"),
        ("redis.call('GET', unknown())", "info"),
    ],
)
def test_how_sure_it_is_decides_the_severity(lua: str, severity: str) -> None:
    assert [one.severity for one in diagnostics(lua, "RL201")] == [severity]


def test_a_key_is_reported_once_with_all_its_lines() -> None:
    lua = "local job = 'job:' .. ARGV[1]\nredis.call('GET', job)\nredis.call('GET', KEYS[1])\nredis.call('DEL', job)\nredis.call('DEL', job)"
    (found,) = diagnostics(lua, "RL201")

    assert found.line == 2
    assert found.message.endswith("(also in lines 4, 5)")


def test_one_name_for_two_keys_is_reported_twice() -> None:
    lua = """local k = 'a'
redis.call('GET', k)
k = ARGV[1]
redis.call('GET', k)
do local k = redis.call('RPOP', KEYS[1]) redis.call('GET', k) end"""

    assert lines(lua, "RL201") == [2, 4, 5]
