"""RL507 on DEL of collections."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import fixed, lines

RULE = "RL507"

HEADER = """\
#!lua flags=allow-oom
--- Remove it.
--
-- @version 1.0.0
-- @key     thing thing:{<name>} TYPE
-- @returns int
-- @retry   safe
-- @budget  calls<=1 growth=1
-- @example nothing is there
--   remove name=a -> 0

local thing = KEYS[1]

return redis.call('DEL', thing)
"""


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SADD', KEYS[1], 1) redis.call('DEL', KEYS[1])",
        "local q = KEYS[1] redis.call('DEL', q) redis.call('LPUSH', KEYS[1], ARGV[1])",
        "redis.call('ZADD', KEYS[2], 1, 2) redis.call('DEL', KEYS[1], KEYS[2])",
        "local k = KEYS[1] .. ':s' redis.call('XADD', k, '*', 'a', 1) redis.call('DEL', k)",
    ],
)
def test_the_removal_of_a_collection_is_found(lua: str) -> None:
    assert lines(lua, RULE) == [1]


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SADD', KEYS[1], 1) redis.call('UNLINK', KEYS[1])",
        "redis.call('SADD', KEYS[1], 1) redis.call('DEL', KEYS[2])",
        "redis.call('HSET', KEYS[1], 'owner', 1) redis.call('DEL', KEYS[1])",
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end",
        "redis.call('DEL', KEYS[1])",
    ],
)
def test_other_removals_are_left_alone(lua: str) -> None:
    assert lines(lua, RULE) == []


@pytest.mark.parametrize(("kind", "found"), [("zset", [14]), ("list", [14]), ("string", [])])
def test_the_header_tells_what_a_key_holds(kind: str, found: list[int]) -> None:
    assert lines(HEADER.replace("TYPE", kind), RULE) == found


def test_the_fix_replaces_the_name_alone():
    lua = "redis.call('SPOP', KEYS[1])\nreturn redis.call(\"del\", KEYS[1], KEYS[2])"

    assert fixed(lua, RULE) == lua.replace("del", "unlink")
