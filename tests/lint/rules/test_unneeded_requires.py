"""RL805 on bounds that no command of the script has."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, script
from tests.lint.rules.firing import diagnostics

RULE = "RL805"


def found(requires: str, body: str) -> list[str]:
    lua = script(STATE, INT, body=body)
    lua = lua.replace("-- @example", f"-- @requires {requires}\n-- @example")
    return [one.message.split()[-2] for one in diagnostics(lua, RULE)]


@pytest.mark.parametrize(
    ("requires", "body", "products"),
    [
        ("redis>=7.4", "return redis.call('STRLEN', KEYS[1])", ["redis"]),
        ("redis>=8.2 valkey>=9.0", "return redis.call('STRLEN', KEYS[1])", ["redis", "valkey"]),
        (
            "redis>=8.2 valkey>=9.0",
            "return redis.call('HEXPIRE', KEYS[1], 9, 'FIELDS', 1, 'a')[1]",
            ["redis"],
        ),
    ],
)
def test_a_bound_that_nothing_needs_is_found(requires: str, body: str, products: list[str]) -> None:
    assert found(requires, body) == products


@pytest.mark.parametrize(
    ("requires", "body"),
    [
        ("redis>=7.4", "return redis.call('HEXPIRE', KEYS[1], 9, 'FIELDS', 1, 'a')[1]"),
        ("redis>=8.2", "return redis.call('GET', KEYS[1]) and os.clock()"),
        ("valkey>=8.1", "return redis.call('SET', KEYS[1], 1, 'IFEQ', 2) and 1"),
        ("redis>=8.2", "return redis.call(redis.call('GET', KEYS[1]), KEYS[1])"),
        ("redis>=7.0 valkey>=7.2", "return redis.call('STRLEN', KEYS[1])"),
    ],
)
def test_a_bound_that_something_may_need_is_left_alone(requires: str, body: str) -> None:
    assert found(requires, body) == []
