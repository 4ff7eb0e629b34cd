"""Commands that would wait."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

FIRES = [
    ("redis.call('BLPOP', KEYS[1], 0)", [1]),
    ("redis.call('WAIT', 1, 100)", [1]),
    ("local c = redis.call\nreturn c('xread', 'BLOCK', 0, 'STREAMS', KEYS[1], '$')", [2]),
    ("redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 5, 'STREAMS', KEYS[1], '>')", [1]),
    ("redis.call('BZMPOP', 0, 1, KEYS[1], 'MIN')", [1]),
]

SILENT = [
    "redis.call('LPOP', KEYS[1])",
    "redis.call('XREAD', 'STREAMS', KEYS[1], '0')",
    "redis.call('XREAD', 'COUNT', 5, 'STREAMS', 'BLOCK', '0')",
    "redis.call('SET', 'BLPOP', 1)",
]


@pytest.mark.parametrize(("lua", "expected"), FIRES)
def test_it_fires(lua: str, expected: list[int]):
    assert lines(lua, "RL105") == expected


@pytest.mark.parametrize("lua", SILENT)
def test_it_is_silent(lua: str):
    assert lines(lua, "RL105") == []


@pytest.mark.parametrize(
    ("lua", "severity"),
    [
        ("redis.call('BLPOP', KEYS[1], 0)", "error"),
        ("redis.call('BLMPOP', 0, 1, KEYS[1], 'LEFT')", "warning"),
        ("redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '0')", "error"),
    ],
)
def test_what_some_target_refuses_is_an_error(lua: str, severity: str):
    assert [one.severity for one in diagnostics(lua, "RL105")] == [severity]


@pytest.mark.parametrize(("lua", "line"), [("BLPOP", "redis>=7.2"), ("XREAD", "redis>=7.4")])
def test_what_no_target_refuses_is_a_warning(lua: str, line: str):
    calls = {
        "BLPOP": "redis.call('BLPOP', KEYS[1], 0)",
        "XREAD": "redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '0')",
    }

    assert [one.severity for one in diagnostics(calls[lua], "RL105", targets=[line])] == ["warning"]


def test_several_servers_refuse_and_one_refuses() -> None:
    lua = "redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '0')"
    (several,) = diagnostics(lua, "RL105", targets=["redis>=7.0"])
    (one,) = diagnostics(lua, "RL105", targets=["redis>=7.2"])

    assert several.message.startswith("Redis 7.0 and 7.2 refuse `XREAD`")
    assert one.message.startswith("Redis 7.2 refuses `XREAD`")
