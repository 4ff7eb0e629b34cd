"""RL304: texts and numbers compared."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

NEAR = "local hits = redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', 1, 2, 'BYRADIUS', 5, 'km', 'WITHDIST')\n"


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("if redis.call('INCR', KEYS[1]) > ARGV[1] then return 0 end", [1]),
        ("if ARGV[1] > 5 then return 0 end", [1]),
        (
            "local got = redis.call('SET', KEYS[1], 1, 'NX', 'EX', 9)\nif got == 'OK' then return 1 end",
            [2],
        ),
        (
            "local n = redis.call('GET', KEYS[1])\nif n and n >= tonumber(ARGV[1]) then return 0 end",
            [2],
        ),
        (
            "local limit = ARGV[1]\nlocal n = redis.call('LLEN', KEYS[1])\nif n < limit then return 0 end",
            [3],
        ),
        ("if ARGV[1] < ARGV[2] then return 0 end", [1]),
        ("local n = redis.call('GET', KEYS[1]) or 0\nif n < 10 then return 0 end", [2]),
        ("if redis.call('EXISTS', KEYS[1]) == '1' then return 0 end", [1]),
        ("if ARGV[1] == 1 then return 0 end", [1]),
        ("if redis.call('SET', KEYS[1], 1) == 'OK' then return 0 end", [1]),
        ("if redis.call('TYPE', KEYS[1]) == 'hash' then return 0 end", [1]),
        (
            "local cursor = '0'\nrepeat\nlocal r = redis.call('SSCAN', KEYS[1], cursor)\ncursor = r[1]\nuntil cursor == 0",
            [5],
        ),
        ("local ttl = redis.call('TTL', KEYS[1])\nif ttl <= ARGV[1] then return 0 end", [2]),
        # The script calculates with the field.
        ("local j = cjson.decode(ARGV[1])\nj.n = j.n + 1\nif j.n > ARGV[2] then return 0 end", [3]),
        (
            "local s = cjson.decode(redis.call('GET', KEYS[1]) or '{}')\nif s.rev ~= ARGV[1] then return 0 end\ns.rev = s.rev + 1",
            [2],
        ),
        (
            "local ok, s = pcall(cjson.decode, ARGV[1])\nif ARGV[2] <= s['n'] then return 0 end\nreturn s['n'] * 2",
            [2],
        ),
        (
            "local s = cjson.decode(ARGV[1])\nif s.a.n == '3' then return 0 end\nreturn s.a.n - 1",
            [2],
        ),
        (NEAR + "for _, hit in ipairs(hits) do\nif hit[2] < 5 then return hit[1] end end", [3]),
        (NEAR + "local id, dist = hits[1][1], hits[1][2]\nif dist < 5 then return id end", [3]),
        (
            NEAR.replace("'WITHDIST'", "'WITHCOORD', 'WITHDIST'")
            + "if hits[1][2] < 5 then return 1 end",
            [2],
        ),
        (
            "local log = redis.call('XRANGE', KEYS[1], '-', '+')\nif log[1][2][2] >= 10 then return 1 end",
            [2],
        ),
        (
            "local r = redis.call('XREAD', 'STREAMS', KEYS[1], 0)\nif r and r[1][2][1][2][2] > 3 then return 1 end",
            [2],
        ),
        (
            "local all = redis.call('SMEMBERS', KEYS[1])\nfor k, v in pairs(all) do\nif k ~= ARGV[1] then return v end end",
            [3],
        ),
        ("for k in pairs(ARGV) do if k == 'x' then return 1 end end", [1]),
        # A reply that is text or false is no number, and none is `true`.
        ("if redis.call('GET', KEYS[1]) == 1 then return 0 end", [1]),
        ("local v = redis.call('HMGET', KEYS[1], 'a', 'b')\nif v[2] ~= 0 then return 0 end", [2]),
        ("local n = redis.call('HGET', KEYS[1], 'n')\nif 3 == n then return 0 end", [2]),
        ("if redis.call('EXISTS', KEYS[1]) == true then return 0 end", [1]),
        ("local v = redis.call('GET', KEYS[1])\nif v ~= true then return 0 end", [2]),
        ("if redis.call('SET', KEYS[1], 1, 'NX') == true then return 0 end", [1]),
    ],
)
def test_a_text_compared_as_a_number_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL304") == where


@pytest.mark.parametrize(
    "lua",
    [
        "if redis.call('INCR', KEYS[1]) > tonumber(ARGV[1]) then return 0 end",
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end",
        "if tonumber(redis.call('GET', KEYS[1]) or '0') < 5 then return 0 end",
        "if #ARGV > 5 then return 0 end",
        "local n = redis.call('GET', KEYS[1])\nn = tonumber(n) or 0\nif n > 5 then return 0 end",
        "if redis.call('TYPE', KEYS[1]).ok == 'hash' then return 0 end",
        "if redis.call('TYPE', KEYS[1])['ok'] ~= 'none' then return 0 end",
        "if redis.call('GET', KEYS[1]) == '1' then return 0 end",
        "local x = ARGV[1] + 0\nif x > 5 then return 0 end",
        "local cursor = '0'\nrepeat\nlocal r = redis.call('SSCAN', KEYS[1], cursor)\ncursor = r[1]\nuntil cursor == '0'",
        "local v = redis.pcall('GET', KEYS[1])\nif v == 'x' then return 0 end",
        "if redis.call('ZSCORE', KEYS[1], 'a') - 1 > 5 then return 0 end",
        "local v = redis.call('GET', KEYS[1])\nv = v and tonumber(v)\nif v == 1 then return 0 end",
        "local v = redis.call('GET', KEYS[1]) or 0\nif v == 0 then return 0 end",
        "local v = redis.pcall('GET', KEYS[1])\nif v == 1 then return 0 end",
        "local there = redis.call('EXISTS', KEYS[1]) == 1\nif there == true then return 0 end",
        "local all = cjson.decode(redis.call('GET', KEYS[1]))\nif all.on == true then return 0 end",
        "if redis.call('HINCRBY', KEYS[1], 'n', 1) == 1 then return 0 end",
        # A field that may be text, or that nothing shows to be a number.
        "local s = cjson.decode(ARGV[1])\nif s.rev == ARGV[2] then return 0 end",
        "local s = cjson.decode(ARGV[1])\nif s.rev == ARGV[2] then return tonumber(s.rev) + 1 end\nreturn s.rev + 2",
        "local s = cjson.decode(ARGV[1])\ns.n = s.n + 1\ns.n = ARGV[2]\nif s.n == ARGV[3] then return 0 end",
        "local s = cjson.decode(ARGV[1])\nif s.n == '' then return 0 end\nreturn s.n + 1",
        "local s = {}\ns.n = ARGV[1]\nif s.n == ARGV[2] then return s.n + 1 end",
        "local s = cjson.decode(ARGV[1])\nif s.n > tonumber(ARGV[2]) then return s.n + 1 end",
        NEAR + "for _, hit in ipairs(hits) do if tonumber(hit[2]) < 5 then return hit[1] end end",
        "local all = redis.call('SMEMBERS', KEYS[1])\nfor k, v in pairs(all) do if v ~= ARGV[1] then return k end end",
        "local all = redis.call('SMEMBERS', KEYS[1])\nall.x = 1\nfor k in pairs(all) do if k == ARGV[1] then return k end end",
        "for k, v in pairs(cjson.decode(ARGV[1])) do if k ~= ARGV[2] then return v end end",
        "local s = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 9)\nfor _, p in ipairs(s) do if p[3] > 5000 then return p[1] end end",
        "local n = redis.call('XINFO', 'STREAM', KEYS[1])\nif n[2] > 5 then return 1 end",
    ],
)
def test_a_comparison_of_one_type_is_none(lua: str) -> None:
    assert lines(lua, "RL304") == []
