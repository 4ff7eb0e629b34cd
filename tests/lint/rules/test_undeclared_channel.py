"""RL809 on messages."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, first_line, script
from tests.lint.rules.firing import lines

RULE = "RL809"
TAGS = (STATE, "@arg value str 0..9", "@channel done state:{<name>}:done", INT)
CALL = "name=a value=b -> 1"


@pytest.mark.parametrize(
    "body",
    [
        "redis.call('PUBLISH', ARGV[2], 'x') return 1",
        "redis.call('SPUBLISH', ARGV[1], 'x') return 1",
        "redis.call('SPUBLISH', KEYS[1], 'x') return 1",
        "redis.call('SPUBLISH', 'done', 'x') return 1",
        "redis.call('SPUBLISH', ARGV[2], 'x') redis.call('SET', KEYS[1], 1) return 1",
        "redis.call('SPUBLISH', ARGV[2], 'x') return redis.call('STRLEN', KEYS[1])",
        "redis.call('SPUBLISH', ARGV[2], 'x') if ARGV[1] == '' then redis.call('DEL', KEYS[1]) end",
    ],
)
def test_a_message_that_the_header_does_not_know_is_found(body: str) -> None:
    lua = script(*TAGS, body=body, call=CALL)

    assert lines(lua, RULE) == [first_line(lua)]


@pytest.mark.parametrize(
    "body",
    [
        "redis.call('SET', KEYS[1], 1) redis.call('SPUBLISH', ARGV[2], 'x') return 1",
        "local done = ARGV[2] redis.call('SPUBLISH', done, 'x') return {1}",
        (
            "if ARGV[1] == '' then redis.call('SPUBLISH', ARGV[2], 'x')"
            " else redis.call('DEL', KEYS[1]) end return 1"
        ),
        (
            "if ARGV[1] == '' then redis.call('SPUBLISH', ARGV[2], 'x') return 1 end"
            " redis.call('DEL', KEYS[1]) return 1"
        ),
    ],
)
def test_the_last_message_to_a_declared_channel_is_left_alone(body: str) -> None:
    assert lines(script(*TAGS, body=body, call=CALL), RULE) == []


def test_without_a_header_any_channel_will_do():
    assert lines("redis.call('PUBLISH', 'news', ARGV[1])", RULE) == []
