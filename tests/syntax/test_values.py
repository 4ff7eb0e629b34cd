"""What is known of a value without running anything."""

from __future__ import annotations

from enum import Flag

import pytest

from redislua.syntax.chunk import Chunk, parse
from redislua.syntax.nodes import Call
from redislua.syntax.values import Kind, Origin, Value


def asked(lua: str) -> Value:
    """The value of what is given to ``look(…)``, a function that nobody knows."""
    chunk = parse(lua.encode())
    return chunk.value(looked_at(chunk).arguments[0])


def looked_at(chunk: Chunk) -> Call:
    assert not chunk.problems
    return next(chunk.calls_to("look"))


@pytest.mark.parametrize(
    ("lua", "origin"),
    [
        ("look(KEYS[1])", Origin.KEYS),
        ("local k = KEYS[1] look(k)", Origin.KEYS),
        ("local keys = KEYS look(keys[2])", Origin.KEYS),
        ("for _, k in ipairs(KEYS) do look(k) end", Origin.KEYS),
        ("for i = 1, #KEYS do look(KEYS[i]) end", Origin.KEYS),
        ("local function f(k) look(k) end f(KEYS[1])", Origin.KEYS),
        ("local function f(n, k) look(k) end local ok = pcall(f, 1, KEYS[1])", Origin.KEYS),
        ("local function f(k) look(k) end f(KEYS[1]) pcall(f, ARGV[1])", Origin.KEYS | Origin.ARGV),
        (
            "local function f(keys) look(keys[1]) end redis.register_function('f', f)",
            Origin.KEYS,
        ),
        (
            "redis.register_function{function_name='f', callback=function(_, a) look(a[1]) end}",
            Origin.ARGV,
        ),
        ("local function f(k) look(k) end other(f)", Origin.UNKNOWN),
        ("look(KEYS[1] .. ':meta')", Origin.DERIVED),
        ("look('lock:' .. KEYS[1])", Origin.DERIVED),
        ("look(KEYS[1] .. ':' .. ARGV[1])", Origin.DERIVED),
        ("look(string.format('%s:%s', KEYS[1], ARGV[1]))", Origin.DERIVED),
        ("look(('%s:x'):format(KEYS[1]))", Origin.DERIVED),
        ("look(table.concat({KEYS[1], 'x'}, ':'))", Origin.DERIVED),
        ("look(KEYS[1]:gsub('a', 'b'))", Origin.DERIVED),
        ("look(ARGV[1])", Origin.ARGV),
        ("look('user:' .. ARGV[1])", Origin.ARGV),
        ("look(tostring(ARGV[1]))", Origin.ARGV),
        ("look(cjson.decode(ARGV[1]).key)", Origin.ARGV),
        ("look(redis.call('GET', KEYS[1]) and KEYS[2])", Origin.KEYS),
        ("look(ARGV[1] == 'x' and KEYS[1] or KEYS[2])", Origin.KEYS),
        ("look('user:1')", Origin.LITERAL),
        ("look(redis.call('GET', KEYS[1]))", Origin.STORED),
        ("look('job:' .. redis.call('RPOP', KEYS[1]))", Origin.STORED),
        ("for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do look(id) end", Origin.STORED),
        ("look(redis.call('TIME')[1])", Origin.TIME),
        ("look(unheard_of())", Origin.UNKNOWN),
        ("look(nothing)", Origin.UNKNOWN),
    ],
)
def test_a_value_comes_from(lua: str, origin: Origin) -> None:
    assert asked(lua).origin == origin


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("look(tonumber(ARGV[1]))", Kind.NUMBER | Kind.NIL),
        ("look(tonumber(ARGV[1]) or 0)", Kind.NUMBER),
        ("look(tonumber('12'))", Kind.NUMBER),
        ("look(redis.call('GET', KEYS[1]))", Kind.STRING | Kind.FALSE),
        ("look(redis.call('GET', KEYS[1]) or '0')", Kind.STRING),
        ("look(redis.call('INCR', KEYS[1]))", Kind.NUMBER),
        ("look(redis.pcall('INCR', KEYS[1]))", Kind.NUMBER | Kind.TABLE),
        ("look(redis.call('HGETALL', KEYS[1]))", Kind.TABLE),
        ("look(redis.call('HMGET', KEYS[1], 'a')[1])", Kind.STRING | Kind.FALSE),
        ("look(redis.call('SET', KEYS[1], 1))", Kind.TABLE),
        (
            "local a, b = unpack(redis.call('HMGET', KEYS[1], 'a', 'b')) look(b)",
            Kind.STRING | Kind.FALSE,
        ),
        ("look(1 < 2)", Kind.BOOLEAN),
        ("look(#KEYS)", Kind.NUMBER),
        ("look(nil)", Kind.NIL),
        ("local x look(x)", Kind.NIL),
        ("look(ARGV[1] and 1 or 2)", Kind.NUMBER),
        ("look(function() end)", Kind.FUNCTION),
        ("look(('x'):rep(3))", Kind.STRING),
    ],
)
def test_a_value_has_the_type(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind


def test_a_parameter_is_what_every_call_passes() -> None:
    lua = "local function f(key) look(key) end f(KEYS[1]) f('user:' .. ARGV[1])"

    assert asked(lua).origin == Origin.KEYS | Origin.ARGV


def test_a_parameter_of_a_function_that_is_handed_on_is_unknown() -> None:
    lua = "local function f(key) look(key) end f(KEYS[1]) other(f)"

    assert asked(lua).origin == Origin.UNKNOWN


def test_a_recursive_function_ends() -> None:
    lua = "local function f(key, n) if n > 0 then return f(key, n - 1) end look(key) end f(KEYS[1], 3)"

    assert asked(lua).origin == Origin.KEYS


def test_what_a_function_returns_is_joined() -> None:
    lua = "local function f() if ARGV[1] then return 'x' end return 1 end look(f())"

    assert asked(lua).kind == Kind.STRING | Kind.NUMBER


def test_a_function_that_may_end_without_return_may_give_nil() -> None:
    lua = "local function f() if #ARGV > 1 then return 'x' end end look(f())"

    assert asked(lua).kind == Kind.STRING | Kind.NIL


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("local x = 1 x = 'a' look(x)", Kind.STRING),
        ("local x = 1 if ARGV[1] then x = 'a' end look(x)", Kind.NUMBER | Kind.STRING),
        ("local x = 1 if a then x = 'a' return x end look(x)", Kind.NUMBER),
        ("local x if a then x = 'a' else look(x) end", Kind.NIL),
        ("local x = 1 while a do look(x) x = 'a' end", Kind.NUMBER | Kind.STRING),
        ("local x = 1 while a do x = 'a' look(x) end", Kind.STRING),
        ("local x = 1 local f = function() x = 'a' end f() look(x)", Kind.NUMBER | Kind.STRING),
        ("local x = tonumber(ARGV[1]) x = x or 0 look(x)", Kind.NUMBER),
        ("local x = tonumber(ARGV[1]) if not x then return end look(x)", Kind.NUMBER),
        ("local x = tonumber(ARGV[1]) if not x then x = 0 end look(x + 1)", Kind.NUMBER),
        ("local x = {} x.a = 1 look(x.a)", Kind.NUMBER),
        ("local x = {a = 'b', 2} look(x.a)", Kind.STRING),
        ("local x = {a = 'b', 2} look(x[1])", Kind.NUMBER),
    ],
)
def test_a_read_sees_the_definitions_that_can_reach_it(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind


def test_a_list_that_is_filled_holds_what_was_put_into_it() -> None:
    lua = "local t = {} t[#t + 1] = KEYS[1] table.insert(t, KEYS[2]) look(t[3])"

    assert asked(lua).origin & ~Origin.LITERAL == Origin.KEYS


@pytest.mark.parametrize(
    ("lua", "is_whole"),
    [
        ("look(10 / 2)", True),
        ("look(#KEYS / 2)", False),
        ("look(math.floor(#KEYS / 2))", True),
        ("look(redis.call('INCR', KEYS[1]) * 1.5)", False),
        ("look(redis.call('INCR', KEYS[1]) * 15)", True),
        ("look(2 ^ 3)", True),
    ],
)
def test_a_number_is_whole_or_may_have_a_fraction(lua: str, is_whole: bool) -> None:
    assert asked(lua).is_whole is is_whole


def test_microseconds_are_too_great_to_be_written_by_lua() -> None:
    lua = "local t = redis.call('TIME') look(tonumber(t[1]) * 1000000 + tonumber(t[2]))"

    size = asked(lua).size

    assert size is not None
    assert size > 1e14


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ("KEYS[1]", "KEYS[1]", True),
        ("KEYS[1]", "KEYS[2]", False),
        ("k", "k", True),
        ("k .. ':x'", "KEYS[1] .. ':' .. 'x'", True),
        ("KEYS[1] .. ':x'", "KEYS[1] .. ':x'", True),
        ("redis.call('GET', k)", "redis.call('GET', k)", False),
    ],
)
def test_two_expressions_are_equal_in_every_run(one: str, other: str, are_equal: bool) -> None:
    chunk = parse(f"local k = KEYS[1] look({one}, {other})".encode())
    first, second = (chunk.value(argument).symbol for argument in looked_at(chunk).arguments)

    assert (first is not None and first == second) is are_equal


def test_an_operator_of_newer_lua_gives_nobody_knows_what() -> None:
    chunk = parse(b"look(a ~ b)")

    assert chunk.value(next(chunk.calls_to("look")).arguments[0]).kind == Kind.ANY


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("local x if a then x = 1 else x = 'a' end look(x)", Kind.NUMBER | Kind.STRING),
        ("local x if a then x = 1 elseif b then x = 2 else x = 3 end look(x)", Kind.NUMBER),
        ("local x if a then x = 1 else return 0 end look(x)", Kind.NUMBER),
        ("local x if a then x = 1 else error('b') end look(x)", Kind.NUMBER),
        ("local x if a then if b then x = 1 else x = 2 end else x = 3 end look(x)", Kind.NUMBER),
        ("local x if a then x = 1 elseif b then x = 2 end look(x)", Kind.NUMBER | Kind.NIL),
        ("local x = 1 repeat x = 'a' until look(x)", Kind.STRING),
    ],
)
def test_a_definition_on_every_way_hides_those_before_it(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("local r = redis.call('SSCAN', KEYS[1], 0) look(r[1])", Kind.STRING),
        ("local r = redis.call('SCAN', 0) look(r[2])", Kind.TABLE),
        ("for _, k in ipairs(redis.call('SCAN', 0)[2]) do look(k) end", Kind.STRING),
    ],
)
def test_a_scan_gives_a_cursor_and_a_table(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("local x = redis.call('GET', k) if x == nil then x = 0 end look(x)", "all"),
        ("local x = redis.call('GET', k) if not x then x = 0 end look(x)", "some"),
        ("local x = redis.call('GET', k) local y = x or 0 look(x)", "all"),
        ("local x = tonumber(redis.call('GET', k)) if x == nil then x = 0 end look(x)", "some"),
    ],
)
def test_asking_a_reply_for_nil_or_giving_a_default_says_nothing_of_it(lua: str, kind: str) -> None:
    assert asked(lua).can_be(Kind.FALSY) is (kind == "all")


@pytest.mark.parametrize("flag", [Kind, Origin])
def test_operators_of_kinds_and_origins_are_those_of_sets(flag: type[Flag]) -> None:
    whole = 2 * max(one.value for one in flag) - 1

    for one in range(whole + 1):
        assert (~flag(one)).value == whole - one
        for other in range(0, whole + 1, 5):
            assert (flag(one) | flag(other)).value == one | other
            assert (flag(one) & flag(other)).value == one & other


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("for k in pairs(redis.call('SMEMBERS', KEYS[1])) do look(k) end", Kind.NUMBER),
        ("for k in pairs(ARGV) do look(k) end", Kind.NUMBER),
        ("for k in pairs(cjson.decode(ARGV[1])) do look(k) end", Kind.ANY & ~Kind.NIL),
        ("local r = redis.call('HKEYS', KEYS[1]) r.x = 1 for k in pairs(r) do look(k) end", None),
        ("for k in pairs(redis.pcall('HKEYS', KEYS[1])) do look(k) end", None),
    ],
)
def test_what_pairs_counts_is_a_number(lua: str, kind: Kind | None) -> None:
    assert asked(lua).kind == (Kind.ANY & ~Kind.NIL if kind is None else kind)


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("local ok, r = pcall(redis.call, 'LLEN', KEYS[1]) look(r)", Kind.NUMBER | Kind.STRING),
        ("local ok, r = pcall(redis.call, 'HGET', KEYS[1], 'a') look(r)", Kind.STRING | Kind.FALSE),
        (
            "local c = redis.call local ok, r = pcall(c, 'KEYS', '*') look(r)",
            Kind.TABLE | Kind.STRING,
        ),
        ("local ok, r = pcall(cjson.decode, ARGV[1]) look(r)", Kind.ANY),
        ("local ok, r, x = pcall(redis.call, 'LLEN', KEYS[1]) look(x)", Kind.ANY),
    ],
)
def test_pcall_gives_a_reply_or_a_text(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind


NEAR = (
    "look(redis.call('GEOSEARCH', KEYS[1], 'FROMMEMBER', ARGV[1], 'BYRADIUS', 5, 'km', {})[1][2])"
)


@pytest.mark.parametrize(
    ("lua", "kind"),
    [
        ("look(redis.call('XRANGE', KEYS[1], '-', '+')[1])", Kind.TABLE),
        ("look(redis.call('XRANGE', KEYS[1], '-', '+')[1][2])", Kind.STRING | Kind.TABLE),
        ("look(redis.call('XRANGE', KEYS[1], '-', '+')[1][2][1])", Kind.STRING),
        ("look(redis.call('XREAD', 'STREAMS', KEYS[1], '0')[1][2][1][2][1])", Kind.STRING),
        ("look(redis.call('GEOPOS', KEYS[1], 'm')[1])", Kind.TABLE | Kind.FALSE),
        ("look(redis.call('ZMPOP', 1, KEYS[1], 'MIN')[2][1][2])", Kind.STRING),
        (NEAR.format("'WITHDIST'"), Kind.STRING),
        (NEAR.format("'WITHDIST', 'WITHCOORD'"), Kind.STRING | Kind.TABLE),
        (NEAR.format("'WITHHASH'"), Kind.STRING | Kind.NUMBER),
        (NEAR.format("'WITHHASH', unpack(ARGV)"), Kind.ANY),
    ],
)
def test_rows_of_nested_replies_are_known(lua: str, kind: Kind) -> None:
    assert asked(lua).kind == kind
