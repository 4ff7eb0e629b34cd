"""RL206 on what callers pass in vain."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, script
from tests.lint.rules.firing import diagnostics

RULE = "RL206"
TAGS = (STATE, "@key other other:{<name>} string", "@arg limit int 1..9", "@arg hold ms 1..9", INT)


def unused(body: str, *tags: str) -> list[str]:
    lua = script(*(tags or TAGS), body=body, call="name=a limit=1 hold=1ms -> 1")
    return [lua.splitlines()[one.line - 1].split()[2] for one in diagnostics(lua, RULE)]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])", ["other"]),
        (
            (
                "local state, other = KEYS[1], KEYS[2] local limit, hold_ms = ARGV[1], ARGV[2]"
                " return redis.call('SET', state, limit)"
            ),
            ["other", "hold"],
        ),
        ("return 1", ["state", "other", "limit", "hold"]),
        ("for _, key in ipairs(KEYS) do redis.call('GET', key) end", ["limit", "hold"]),
    ],
)
def test_what_is_declared_and_not_read_is_found(body: str, names: list[str]) -> None:
    assert unused(body) == names


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[2])",
        "local state, other = KEYS[1], KEYS[2] return redis.call('SET', state, other .. #ARGV)",
        "local function get(n) return ARGV[n] end return KEYS[1] .. KEYS[2] .. get(#KEYS[1])",
        "redis.call('DEL', unpack(KEYS)) return cjson.encode(ARGV)",
    ],
)
def test_what_is_read_in_any_way_is_left_alone(body: str) -> None:
    assert unused(body) == []


def test_a_channel_is_passed_too():
    assert unused("return #KEYS[1]", STATE, "@channel done state:{<name>}:done", INT) == ["done"]
