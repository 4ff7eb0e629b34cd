"""RL803: error codes and the header, both ways."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, first_line, script
from tests.lint.rules.firing import lines

RULE = "RL803"
TAGS = (STATE, INT, "@error BadState It is bad.", "@error Busy It is busy.")
BOTH = "if #KEYS[1] == 9 then return redis.error_reply('RLUA_BAD_STATE x') end "
BOTH += "if #KEYS[1] == 8 then return redis.error_reply('RLUA_BUSY x') end "


@pytest.mark.parametrize(
    "body",
    [
        "return redis.error_reply('RLUA_BADSTATE x')",
        "return redis.error_reply('ERR x')",
        "return {err = 'RLUA_NOPE x'}",
        "return redis.error_reply('RLUA_NOPE ' .. KEYS[1])",
        "return redis.error_reply(string.format('RLUA_NOPE %s', KEYS[1]))",
        "local fail = redis.error_reply return fail('RLUA_NOPE')",
    ],
)
def test_a_code_without_a_declaration_is_found(body: str) -> None:
    lua = script(*TAGS, body=BOTH + body)

    assert lines(lua, RULE) == [first_line(lua)]


@pytest.mark.parametrize(
    "body",
    [
        "return 1",
        "return redis.error_reply('RLUA_BUSY ' .. KEYS[1])",
        "return redis.error_reply(redis.call('GET', KEYS[1]))",
        "local t = {err = 'no reply'} return #t.err",
    ],
)
def test_a_declared_or_unknown_code_is_left_alone(body: str) -> None:
    assert lines(script(*TAGS, body=BOTH + body), RULE) == []


def test_a_declared_error_that_is_never_given_is_found_in_the_header():
    lua = script(*TAGS, body="return redis.error_reply('RLUA_BUSY x')")

    assert lines(lua, RULE) == [lua[: lua.index("@error BadState")].count("\n") + 1]


def test_a_text_that_cannot_be_read_may_be_any_declared_error():
    lua = script(*TAGS, body="return redis.error_reply(KEYS[1] .. ' x')")

    assert lines(lua, RULE) == []
