"""RL202: keys made from those in KEYS."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("redis.call('GET', KEYS[1] .. ':meta')", [1]),
        (
            "local base = KEYS[1]\nlocal meta = base .. ':meta'\nredis.call('GET', meta)\nredis.call('DEL', meta)",
            [3],
        ),
        ("redis.call('GET', 'lock:' .. KEYS[1])", [1]),
        ("redis.call('GET', string.format('%s:%s', KEYS[1], ARGV[1]))", [1]),
        ("redis.call('GET', string.lower(KEYS[1]))", [1]),
        (
            "local function meta(key) return key .. ':meta' end\nredis.call('GET', meta(KEYS[1]))",
            [2],
        ),
        (
            "redis.call('GET', KEYS[1] .. ':a')\nredis.call('DEL', KEYS[1] .. ':a', KEYS[1] .. ':b')",
            [1, 2],
        ),
        ("redis.call('DEL', KEYS[1], KEYS[1] .. ':a', KEYS[1] .. ':b')", [1]),
    ],
)
def test_a_key_made_from_a_declared_one_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL202") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('GET', KEYS[1])",
        "redis.call('GET', tostring(KEYS[1]))",
        "redis.call('GET', '{' .. KEYS[1] .. '}:meta')",
        "redis.call('PUBLISH', KEYS[1] .. ':events', ARGV[1])",
        "redis.call('HSET', KEYS[1], KEYS[1] .. ':field', 1)",
        "--!df flags=allow-undeclared-keys\nreturn redis.call('GET', KEYS[1] .. ':meta')",
        "if KEYS[1] .. ':meta' == KEYS[2] then return redis.call('GET', KEYS[1] .. ':meta') end",
    ],
)
def test_a_key_whose_slot_is_proven_is_none(lua: str) -> None:
    assert lines(lua, "RL202") == []


HEADER = """\
#!lua
--- Count a visit.
--
-- @version 1.0.0
-- @key     visits {pattern} string
-- @returns int
-- @retry   never
-- @budget  calls<=1 growth=1
-- @example one visit
--   count page=home -> 1

local visits = KEYS[1]

return redis.call('INCR', visits .. ':day')
"""


@pytest.mark.parametrize(
    ("pattern", "where"), [("visits:{<page>}", []), ("{<page>}", []), ("<page>", [14])]
)
def test_a_headers_hash_tag_proves_the_slot(pattern: str, where: list[int]) -> None:
    lua = HEADER.replace("{pattern}", pattern)

    assert lines(lua, "RL202") == where


def test_a_key_is_reported_once_with_all_its_lines() -> None:
    lua = "local meta = KEYS[1] .. ':meta'\nredis.call('GET', meta)\nredis.call('GET', KEYS[1])\nredis.call('DEL', meta)\nredis.call('DEL', meta)"
    (found,) = diagnostics(lua, "RL202")

    assert found.line == 2
    assert found.message.endswith("(also in lines 4, 5)")
