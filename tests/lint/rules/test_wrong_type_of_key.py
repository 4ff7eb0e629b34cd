"""RL808: commands and the declared types of their keys."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, first_line, script
from tests.lint.rules.firing import lines

RULE = "RL808"
TAGS = (
    "@key text text:{<name>} string",
    "@key hash hash:{<name>} hash",
    "@key list list:{<name>} list",
    "@key set set:{<name>} set",
    "@key zset zset:{<name>} zset",
    "@key stream stream:{<name>} stream",
    INT,
)


def found(call: str) -> bool:
    body = (
        "local text, hash, list, set, zset, stream ="
        f" KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6] {call} return 1"
    )
    lua = script(*TAGS, body=body)
    assert lines(lua, RULE) in ([], [first_line(lua)])
    return bool(lines(lua, RULE))


@pytest.mark.parametrize(
    "call",
    [
        "redis.call('INCR', hash)",
        "redis.call('HSET', text, 'a', 1)",
        "redis.call('LPUSH', KEYS[4], 'a')",
        "redis.call('ZADD', set, 1, 'a')",
        "redis.pcall('XADD', list, '*', 'a', 1)",
        "redis.call('PFADD', zset, 'a')",
        "redis.call('ZUNIONSTORE', zset, 1, list)",
    ],
)
def test_a_command_for_another_type_is_found(call: str) -> None:
    assert found(call)


@pytest.mark.parametrize(
    "call",
    [
        "redis.call('SETBIT', text, 1, 1)",
        "redis.call('PFADD', text, 'a')",
        "redis.call('GEOADD', zset, 1, 1, 'a')",
        "redis.call('ZUNIONSTORE', zset, 1, set)",
        "redis.call('EXPIRE', list, 9)",
        "redis.call('UNLINK', stream, hash)",
        "redis.call('HGET', redis.call('GET', text), 'a')",
        "redis.call('XLEN', stream)",
    ],
)
def test_a_command_that_fits_is_left_alone(call: str) -> None:
    assert not found(call)


def test_every_key_of_a_variadic_one_has_its_type():
    tags = ("@key parts... parts:{<name>}:<part> hash 1..8", INT)
    body = "for index = 1, #KEYS do redis.call('GET', KEYS[index]) end return 1"

    assert len(lines(script(*tags, body=body), RULE)) == 1
    assert lines(script(*tags, body=body.replace("'GET'", "'HLEN'")), RULE) == []
