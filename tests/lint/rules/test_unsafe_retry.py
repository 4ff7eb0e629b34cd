"""RL804 on writes that add, in scripts that say they may be sent again."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, first_line, script
from tests.lint.rules.firing import lines

RULE = "RL804"
TAGS = (STATE, "@arg token token", "@arg value str 0..9", INT)
CALL = "name=a value=b -> 1"


def made(body: str, retry: str = "safe") -> str:
    return script(*TAGS, body=body, retry=retry, call=CALL)


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('INCR', KEYS[1])",
        "return redis.call('rpush', KEYS[1], ARGV[2])",
        "redis.call('XADD', KEYS[1], '*', 'v', ARGV[2]) return 1",
        "return redis.call('ZADD', KEYS[1], 'INCR', 1, ARGV[2])",
        "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('LPOP', KEYS[1]) end return 1",
        "local call = redis.call local function add(k) call('APPEND', k, 'x') end add(KEYS[1])",
    ],
)
def test_a_write_that_adds_is_found(body: str) -> None:
    lua = made(body)

    assert lines(lua, RULE) == [first_line(lua)]


@pytest.mark.parametrize(
    "body",
    [
        (
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end"
            " return redis.call('INCR', KEYS[1])"
        ),
        (
            "if redis.call('ZSCORE', KEYS[1], ARGV[1] .. ':1') then return 0 end"
            " return redis.call('LPUSH', KEYS[1], ARGV[2])"
        ),
        (
            "if not redis.call('SET', KEYS[1], 1, 'NX') then return 0 end"
            " return redis.call('INCR', KEYS[1])"
        ),
        "return redis.call('SADD', KEYS[1], ARGV[2])",
        "redis.call('XADD', KEYS[1], '1-1', 'v', ARGV[2]) return 1",
        "return redis.call('ZADD', KEYS[1], 1, ARGV[2])",
    ],
)
def test_a_write_that_a_resend_does_not_repeat_is_left_alone(body: str) -> None:
    assert lines(made(body), RULE) == []


@pytest.mark.parametrize("retry", ["never", "conservative"])
def test_other_classes_promise_nothing(retry: str) -> None:
    assert lines(made("return redis.call('INCR', KEYS[1])", retry), RULE) == []
