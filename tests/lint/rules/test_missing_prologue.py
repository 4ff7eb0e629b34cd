"""RL801 on scripts that index KEYS and ARGV instead of naming them, and its fix."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import INT, STATE, first_line, script
from tests.lint.rules.firing import codes, diagnostics, fixed, lines

RULE = "RL801"
TAGS = (STATE, "@arg limit int 1..9", "@arg window ms 1..9", INT)
CALL = "name=a limit=1 window=2ms -> 1"
RIGHT = "local state = KEYS[1]\nlocal limit, window_ms = ARGV[1], ARGV[2]\n"


def made(body: str, *tags: str) -> str:
    return script(*(tags or TAGS), body=body, call=CALL)


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('APPEND', KEYS[1], ARGV[1] .. ARGV[2])",
        "local state = KEYS[1] local limit, window = ARGV[1], ARGV[2] return #limit + #window",
        "local state = KEYS[1] local window_ms, limit = ARGV[2], ARGV[1] return #limit",
        "local limit, window_ms = ARGV[1], ARGV[2] local state = KEYS[1] return #limit",
        "local state, limit = KEYS[1], tonumber(ARGV[1]) local window_ms = ARGV[2] return 1",
        "local state = KEYS[1] local limit = ARGV[1] return #limit",
    ],
)
def test_a_missing_or_different_prologue_is_found_at_the_first_statement(body: str) -> None:
    lua = made(body)

    assert lines(lua, RULE) == [first_line(lua)]


@pytest.mark.parametrize(
    "body",
    [
        RIGHT + "return redis.call('APPEND', state, ARGV[1])",
        RIGHT + "return redis.call('DEL', KEYS[1])",
        RIGHT + "return redis.call('MSET', state, unpack(ARGV))",
        RIGHT + "local function get(n) return ARGV[n] end return #get(#limit)",
    ],
)
def test_an_index_below_the_prologue_is_found(body: str) -> None:
    lua = made(body)

    assert lines(lua, RULE) == [first_line(lua) + 2]


@pytest.mark.parametrize(
    ("tags", "body"),
    [
        (TAGS, RIGHT + "return #state + #limit + #window_ms"),
        (TAGS, "local state, limit, window_ms = KEYS[1], ARGV[1], ARGV[2] return #limit"),
        (
            TAGS,
            "local state = KEYS[1]\nlocal limit = ARGV[1]\nlocal window_ms = ARGV[2]\nreturn #limit",
        ),
        (
            (STATE, "@key more... more:{<name>}:<part> string 1..8", INT),
            "local state = KEYS[1] for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end return 1",
        ),
        (
            (STATE, "@arg limit int 1..9", "@arg rows:(id:str n:int)... 1..8", INT),
            "local state = KEYS[1] local limit, rows = ARGV[1], ARGV[2] return #ARGV[3]",
        ),
        (
            (STATE, "@arg limit int 1..9", "@channel done state:{<name>}:done", INT),
            (
                "local state = KEYS[1] local limit, done = ARGV[1], ARGV[2]"
                " redis.call('SPUBLISH', done, limit) return 1"
            ),
        ),
    ],
)
def test_a_right_prologue_is_left_alone(tags: tuple[str, ...], body: str) -> None:
    assert lines(made(body, *tags), RULE) == []


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (
            "local n = tonumber(ARGV[1])\nreturn redis.call('INCRBY', KEYS[1], n + #ARGV[2])",
            RIGHT
            + "\nlocal n = tonumber(limit)\nreturn redis.call('INCRBY', state, n + #window_ms)",
        ),
        (
            (
                "local key, max, span = KEYS[1], ARGV[1], ARGV[2]\n"
                "span = tonumber(span)\nreturn redis.call('INCRBY', key, max * span)"
            ),
            RIGHT + "window_ms = tonumber(window_ms)\n"
            "return redis.call('INCRBY', state, limit * window_ms)",
        ),
        (
            "local limit = tonumber(ARGV[1])\nreturn redis.call('INCRBY', KEYS[1], limit)",
            RIGHT + "\nlimit = tonumber(limit)\nreturn redis.call('INCRBY', state, limit)",
        ),
        (
            RIGHT + "return redis.call('APPEND', state, ARGV[1])",
            RIGHT + "return redis.call('APPEND', state, limit)",
        ),
    ],
)
def test_the_fix_writes_the_prologue_and_names_what_was_indexed(body: str, after: str) -> None:
    result = fixed(made(body), RULE)

    assert result == made(after)
    assert [code for code, _ in codes(result) if code in (RULE, "RL001", "RL011")] == []


@pytest.mark.parametrize(
    "body",
    [
        "local function f(limit) return limit end return f(ARGV[1]) .. KEYS[1] .. ARGV[2]",
        "local limit = tonumber(ARGV[1]) return redis.call('SET', KEYS[1], ARGV[1], 'PX', limit)",
        "local a, b = ARGV[1], ARGV[1] b = b + 1 return a + b",
        "KEYS[1] = 'x' return redis.call('GET', KEYS[1])",
        "local key = KEYS[1] -- the key\nlocal a, b = ARGV[1], ARGV[2]\nreturn key .. a .. b",
        RIGHT + "limit = tonumber(limit) return redis.call('SET', state, ARGV[1])",
    ],
)
def test_no_fix_is_offered_where_it_might_change_what_the_script_does(body: str) -> None:
    assert [one.fix for one in diagnostics(made(body), RULE)] == [None]
