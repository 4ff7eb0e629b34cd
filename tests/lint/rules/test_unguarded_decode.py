"""Elements that cannot be decoded."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines

FIRES = [
    ("for _, m in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do\n  f(cjson.decode(m))\nend", [2]),
    (
        "local all = redis.call('HVALS', KEYS[1])\nfor i = 1, #all do\n  local d = cmsgpack.unpack(all[i])\n  f(d)\nend",
        [3],
    ),
    (
        "local decode = cjson.decode\nlocal function read(m)\n  return decode(m)\nend\nfor _, m in pairs(redis.call('SMEMBERS', KEYS[1])) do f(read(m)) end",
        [3],
    ),
]

SILENT = [
    "local raw = redis.call('GET', KEYS[1]) if not raw then return 0 end return cjson.decode(raw)",
    "for _, m in ipairs(ARGV) do f(cjson.decode(m)) end",
    "for _, m in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do local ok, d = pcall(cjson.decode, m) end",
    "for _, m in ipairs(KEYS) do pcall(function() f(cjson.decode(redis.call('GET', m))) end) end",
    "for i = 1, 3 do f(cjson.decode('[]')) end",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL406") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL406") == []
