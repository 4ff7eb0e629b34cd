"""RL205 on indexes that the header knows nothing of."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, first_line, script
from tests.lint.rules.firing import lines

RULE = "RL205"
CALL = "name=a limit=1 -> 1"
TAGS = (STATE, "@arg limit int 1..9", INT)
ROWS = (STATE, "@arg rows:(id:str n:int)... 1..8", INT)
MORE = (STATE, "@key more... more:{<name>}:<part> string 1..8", INT)


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('GET', KEYS[2])",
        "return ARGV[2]",
        "local keys = KEYS return redis.call('GET', keys[3])",
        "local last = 2 return ARGV[last]",
        "return KEYS[0]",
    ],
)
def test_an_index_beyond_the_header_is_found(body: str) -> None:
    lua = script(*TAGS, body=body, call=CALL)

    assert lines(lua, RULE) == [first_line(lua)]


@pytest.mark.parametrize(
    ("tags", "body"),
    [
        (TAGS, "return redis.call('SET', KEYS[1], ARGV[1])"),
        (TAGS, "local n = #ARGV return ARGV[n]"),
        (MORE, "return redis.call('DEL', KEYS[1], KEYS[5])"),
        (ROWS, "return ARGV[1] .. ARGV[17]"),
        ((STATE, "@channel done state:{<name>}:done", INT), "return #ARGV[1]"),
    ],
)
def test_an_index_within_the_header_is_left_alone(tags: tuple[str, ...], body: str) -> None:
    assert lines(script(*tags, body=body, call="name=a -> 1"), RULE) == []


def test_without_a_header_nothing_is_known():
    assert lines("return KEYS[9] .. ARGV[9]", RULE) == []
