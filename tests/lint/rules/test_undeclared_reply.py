"""RL802: every return against the header."""

from __future__ import annotations

import pytest

from tests.lint.rules.contracts import STATE, first_line, script
from tests.lint.rules.firing import diagnostics, lines

RULE = "RL802"
TAGS = (
    STATE,
    "@arg mode enum(a, b)",
    "@returns Found value:bytes age:ms fence:str? fresh:bool",
    "@returns Missing",
    "@returns Rows cursor:int rows:(id:str n:int)...",
)
CALL = "name=a mode=a -> Missing"
GET = "local value = redis.call('GET', KEYS[1]) "
ALL = " if ARGV[1] == 'c' then return {'Rows', 0} end if ARGV[1] == 'd' then return {'Missing'} end"


def found(body: str, *tags: str, all_else: str = "") -> list[str]:
    lua = script(*(tags or TAGS), body=body + all_else, call=CALL)
    return [one.message for one in diagnostics(lua, RULE) if one.line >= first_line(lua)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return {'Gone'}", "no reply 'Gone'"),
        ("return {'found', 'a', 1, false, 1}", "no reply 'found'"),
        ("return {'Found', 'a', 1, false}", "4 fields in the header, and 3 here"),
        ("return {'Missing', 1}", "0 fields in the header, and 1 here"),
        ("return 1", "no table that begins with the name"),
        (GET + "return value", "no table that begins with the name"),
        ("return {1, 'a'}", "no table that begins with the name"),
        ("return {}", "no table that begins with the name"),
        ("return {tag = 'Missing'}", "no table that begins with the name"),
        ("return {'Found', 'a', '1', false, 1}", "age of Found is text"),
        ("return {'Found', 1, 1, false, 1}", "value of Found is a number"),
        ("return {'Found', 'a', {1}, false, 1}", "age of Found is a table"),
        ("return {'Found', 'a', 1, false, ARGV[1] == 'a'}", "fresh of Found is false or true"),
        ("return {'Found', false, 1, false, 1}", "value of Found is false"),
        ("local function none() return {'None'} end return none()", "no reply 'None'"),
        ("local out = {'Nope'} return out", "no reply 'Nope'"),
        ("return {ARGV[1] == 'a' and 'Missing' or 'Absent'}", "no reply 'Absent'"),
    ],
)
def test_a_reply_that_does_not_fit_is_found(body: str, words: str) -> None:
    (message,) = found(body)

    assert words in message


@pytest.mark.parametrize(
    "body",
    [
        "return {'Found', 'a', 1, false, 1}",
        GET + "return {'Found', value, tonumber(value), value, value and 1 or 0}",
        GET + "if not value then return {'Missing'} end return {'Found', value, #value, value, 0}",
        "return redis.error_reply('RLUA_X y')",
        "return {err = 'RLUA_X y'}",
        "return {'Rows', 0, 'a', 1, 'b', 2}",
        (
            "local out = {'Rows', 0} for i = 1, 3 do out[#out + 1] = 'a' out[#out + 1] = i end"
            " return out"
        ),
        "local out = {'Rows', 0} table.insert(out, 'a') return out",
        "local ids = redis.call('LRANGE', KEYS[1], 0, 9) return {'Rows', 0, unpack(ids)}",
        "local function missing() return {'Missing'} end return missing()",
        "local tag = ARGV[1] == 'a' and 'Missing' or 'Missing' return {tag}",
        (
            "local reply = redis.pcall('GET', KEYS[1]) if reply.err then return reply end"
            " return {'Missing'}"
        ),
        "return cjson.decode(ARGV[1])",
    ],
)
def test_a_reply_that_fits_or_cannot_be_read_is_left_alone(body: str) -> None:
    assert found(body) == []


@pytest.mark.parametrize(
    ("returns", "body", "count"),
    [
        ("int", "return 1", 0),
        ("int", "return #KEYS", 0),
        ("int", "return '1'", 1),
        ("int", "return {1}", 1),
        ("int", "return false", 1),
        ("str", "return redis.status_reply('OK')", 0),
        ("str", "return redis.call('SET', KEYS[1], 1)", 0),
        ("bytes?", "return redis.call('GET', KEYS[1])", 0),
        ("float", "return redis.call('INCRBYFLOAT', KEYS[1], 1)", 0),
        ("float", "return 1.5", 1),
        ("enum(on, off)", "return 'on'", 0),
        ("enum(on, off)", "return 'of'", 1),
    ],
)
def test_a_bare_reply_has_its_type(returns: str, body: str, count: int) -> None:
    assert len(found(body, STATE, f"@returns {returns}")) == count


def test_a_variant_that_no_return_gives_is_found_in_the_header():
    body = "return {'Found', 'a', 1, false, 1}"
    lua = script(*TAGS, body=body, call=CALL)

    assert [lua.splitlines()[line - 1].split()[2] for line in lines(lua, RULE)] == [
        "Missing",
        "Rows",
    ]
    assert lines(script(*TAGS, body=f"{ALL} {body}", call=CALL), RULE) == []


def test_no_variant_is_missing_where_a_reply_cannot_be_read():
    assert lines(script(*TAGS, body="return cjson.decode(ARGV[1])", call=CALL), RULE) == []
