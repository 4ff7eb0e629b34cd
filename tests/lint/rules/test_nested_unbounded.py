"""RL506 on what is unbounded within a loop."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

RULE = "RL506"
OUTER = "for _, a in ipairs(redis.call('SMEMBERS', KEYS[1])) do"


@pytest.mark.parametrize(
    ("lua", "severities"),
    [
        (f"{OUTER} redis.call('LRANGE', a, 0, -1) end", ["error"]),
        (f"{OUTER} redis.call('HGETALL', a) end", ["warning"]),
        ("for _, k in ipairs(KEYS) do redis.call('SMEMBERS', k) end", ["warning"]),
        ("for _, k in ipairs(KEYS) do redis.call('HGETALL', k) end", ["info"]),
        (
            f"{OUTER} for _, b in ipairs(redis.call('SMEMBERS', a)) do redis.call('DEL', b) end end",
            ["error", "error"],
        ),
        (
            (
                f"local function count(k) return #redis.call('ZRANGE', k, 0, -1) end {OUTER}"
                " redis.call('SET', a, count(a)) end"
            ),
            ["error"],
        ),
        (
            f"{OUTER} while true do if not redis.call('LPOP', a) then break end end end",
            ["error"],
        ),
    ],
)
def test_what_multiplies_is_found(lua: str, severities: list[str]) -> None:
    assert [one.severity for one in diagnostics(lua, RULE)] == severities


@pytest.mark.parametrize(
    "lua",
    [
        f"{OUTER} redis.call('LRANGE', a, 0, 9) end",
        "redis.call('SMEMBERS', KEYS[1])",
        "for i = 1, 3 do redis.call('SMEMBERS', KEYS[i]) end",
        (
            "for _, a in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do"
            " for i = 1, 3 do redis.call('INCR', a) end end"
        ),
        (
            "local c = '0' repeat local r = redis.call('SCAN', c) c = r[1]"
            " for _, k in ipairs(r[2]) do redis.call('DEL', k) end until c == '0'"
        ),
    ],
)
def test_what_does_not_multiply_is_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []
