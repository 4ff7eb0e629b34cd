"""Commands, loops, guards and positions of a script."""

from __future__ import annotations

import pytest

from redislua.syntax.chunk import parse
from redislua.syntax.nodes import Call


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('get', KEYS[1])",
        "redis.pcall('GET', KEYS[1])",
        "server.call('GET', KEYS[1])",
        "local rcall = redis.call rcall('GET', KEYS[1])",
        "local r = redis r.call('GET', KEYS[1])",
        "local a, b = redis.call, redis.pcall b('GET', KEYS[1])",
        "local R = {call = redis.call} R.call('GET', KEYS[1])",
        "local function rcall(...) return redis.call(...) end rcall('GET', KEYS[1])",
        "redis['call']('GET', KEYS[1])",
        "local name = 'x' (redis.call)('GET', KEYS[1])",
    ],
)
def test_a_command_is_seen_through_aliases(lua: str) -> None:
    chunk = parse(lua.encode())

    (command,) = (one for one in chunk.commands if one.name)
    assert command.name == "GET"
    assert [chunk.text(key) for key in command.key_arguments()] == ["KEYS[1]"]


@pytest.mark.parametrize(
    "lua",
    [
        "local redis = {call = print} redis.call('GET', KEYS[1])",
        "local call = redis.call call = print call('GET', KEYS[1])",
        "local function f(redis) redis.call('GET', KEYS[1]) end f(x)",
        "redis.log(1, 'GET')",
    ],
)
def test_what_only_looks_like_a_command_is_none(lua: str) -> None:
    assert not parse(lua.encode()).commands


@pytest.mark.parametrize(
    ("lua", "keys"),
    [
        ("redis.call('MSET', 'a', 1, 'b', 2)", ["'a'", "'b'"]),
        ("redis.call('ZUNIONSTORE', d, 2, a, b)", ["d", "a", "b"]),
        ("redis.call('XREAD', 'COUNT', 1, 'STREAMS', a, b, 0, 0)", ["a", "b"]),
        ("redis.call('XGROUP', 'CREATE', s, g, 0)", ["s"]),
        ("redis.call('DEL', unpack(KEYS))", ["unpack(KEYS)"]),
        ("redis.call('PING')", []),
    ],
)
def test_the_keys_of_a_command(lua: str, keys: list[str]) -> None:
    chunk = parse(lua.encode())

    assert [chunk.text(key) for key in chunk.commands[0].key_arguments()] == keys


@pytest.mark.parametrize(
    ("lua", "by", "most"),
    [
        ("for i = 1, 10 do end", "constant", 10),
        ("for i = #KEYS, 1, -1 do end", "keys", None),
        ("for _, a in ipairs(ARGV) do end", "arguments", None),
        ("local n = tonumber(ARGV[1]) for i = 1, n do end", "argument", None),
        ("for i = 1, math.min(n, 50) do end", "constant", 50),
        ("local r = redis.call('SMEMBERS', KEYS[1]) for i = 1, #r do end", "reply", None),
        ("for _, m in pairs(redis.call('SMEMBERS', KEYS[1])) do end", "reply", None),
        ("for _, m in ipairs({'a', 'b'}) do end", "constant", 2),
        ("while true do break end", "nothing", None),
        ("repeat until false", "nothing", None),
        ("while x > 0 do end", "condition", None),
        ("local t = {} fill(t) for _, m in ipairs(t) do end", "unknown", None),
    ],
)
def test_what_bounds_a_loop(lua: str, by: str, most: float | None) -> None:
    chunk = parse(lua.encode())

    bound = chunk.bound(chunk.loops[0])

    assert (bound.by, bound.most) == (by, most)


@pytest.mark.parametrize(
    ("lua", "is_tested"),
    [
        ("if x then look(x) end", True),
        ("if not x then return end look(x)", True),
        ("local y = x and look(x)", True),
        ("if x ~= nil and x > 1 then look(x) end", True),
        ("assert(x) look(x)", True),
        ("if type(x) == 'table' then look(x) end", True),
        ("if t.err then return t end look(t.err)", True),
        ("look(x) if x then end", False),
        ("if x > 1 then look(x) end", False),
        ("local y = x + 1 look(x)", False),
        ("local y = x or 0 look(x)", False),
        ("other(x) look(x)", False),
    ],
)
def test_a_value_that_was_asked_for(lua: str, is_tested: bool) -> None:
    chunk = parse(lua.encode())
    call: Call = next(chunk.calls_to("look"))

    assert chunk.is_tested(call.arguments[0]) is is_tested


def test_loops_around_a_call_count_those_around_the_calls_of_its_function() -> None:
    lua = b"local function f(k) redis.call('DEL', k) end for i = 1, 3 do while x do f(i) end end"
    chunk = parse(lua)

    assert len(chunk.loops_around(chunk.commands[0].node)) == 2


def test_columns_count_characters() -> None:
    lua = "local a = 'é'; nope()".encode()
    chunk = parse(lua)

    assert chunk.position(lua.index(b"nope")) == (1, 16)


def test_a_text_that_lua_refuses_has_problems_and_nothing_else() -> None:
    chunk = parse(b"redis.call('GET', KEYS[1]")

    assert chunk.problems
    assert not chunk.commands


def test_a_chain_too_long_to_analyse_says_so() -> None:
    chunk = parse(b"return " + b"1 + " * 5000 + b"1")

    assert [problem.kind for problem in chunk.problems] == ["file"]


def test_an_escape_that_only_lua_knows_costs_that_string_alone() -> None:
    chunk = parse(rb"local a = 'x\-y' redis.call('GET', KEYS[1])")

    assert [command.name for command in chunk.commands] == ["GET"]


@pytest.mark.parametrize(
    ("lua", "calls"),
    [
        ("local function f() end f() f()", 2),
        ("local function f() end f() look(f)", 0),
        ("local f = function() end f()", 1),
        ("function f() end f()", 0),
    ],
)
def test_the_calls_of_a_function_where_all_are_known(lua: str, calls: int) -> None:
    chunk = parse(lua.encode())

    assert len(chunk.calls_of(chunk.functions[0])) == calls


def test_a_function_that_gives_one_value_leaves_a_commands_arguments_counted() -> None:
    chunk = parse(b"redis.call('EXPIRE', KEYS[1], math.sqrt(9))")

    assert not chunk.commands[0].is_open
