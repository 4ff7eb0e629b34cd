"""Forks and lines: what counts as one, and that watching them changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from redislua.probe.debugger import lines_run
from redislua.probe.engine import Engine, executable
from redislua.probe.engine.run import copy_of
from redislua.probe.sweep import moments
from redislua.probe.trials import restore
from redislua.runtime import run
from tests.catalogue.samples import operations, registry
from tests.probe.engine.samples import script_call

SCRIPTS = registry().scripts


@pytest.fixture
def engine(server, client):
    with Engine(server.url) as opened:
        yield opened


def ways(engine: Engine, text: str, *args: bytes) -> set[str]:
    """``3 if true`` for each way that was gone."""
    found = engine.run(script_call(text, [], args), watch="lines")
    assert not found.error
    forks = found.forks
    return {
        f"{forks[number].line} {forks[number].word} {forks[number].way(taken)}"
        for number, taken in found.ways
    }


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ("if ARGV[1] then return 1 end", [b""], {"1 if true"}),
        ("if ARGV[1] then return 1 end", [], {"1 if false"}),
        (
            "if ARGV[2] then return 1\nelseif ARGV[1] then return 2 end",
            [b"x"],
            {"1 if false", "2 elseif true"},
        ),
        ("return ARGV[1] and 1 or 2", [b"x"], {"1 and true", "1 or true"}),
        ("return ARGV[1] and 1 or 2", [], {"1 and false", "1 or false"}),
        ("if ARGV[1] and\nARGV[2] then end", [b"x"], {"1 and true", "1 if false"}),
        ("local n = 0 while n < 2 do n = n + 1 end", [], {"1 while true", "1 while false"}),
        ("local n = 0\nrepeat local m = n n = n + 1\nuntil m > 0", [], {"3 until true", "3 until false"}),
        ("for i = 1, 3 do end", [], {"1 for round", "1 for end"}),
        ("for i = 1, 0 do\n\nend", [], {"1 for end"}),
        ("for i = 1, 3 do\nif i == 2 then break end\nend",
         [], {"1 for round", "2 if true", "2 if false"}),
        ("for i = 1, 3 do return i end", [], {"1 for round"}),
        ("for k in pairs({}) do break end", [], {"1 for end"}),
        ("for i = 1, 2 do for j = 1, 2 do break end end", [],
         {"1 for round", "1 for end"}),
        ("while true do break end", [], set()),
        ("local x = 1 or 2", [], set()),
        ("local f = function() return ARGV[1] or 1 end f()", [], {"1 or false"}),
        ("return not (ARGV[1] == nil) and ((ARGV[1])) or nil", [b"x"], {"1 and true", "1 or true"}),
    ],
)  # fmt: skip
def test_a_fork_tells_the_ways_that_were_gone(text, args, expected, engine):
    assert ways(engine, text, *args) == expected


def test_forks_stand_where_their_condition_begins():
    forks = copy_of(b"#!lua\nlocal a = KEYS[1]\n  if a and\n    b() then end").forks

    assert [(fork.line, fork.column, fork.word, fork.text) for fork in forks] == [
        (3, 6, "if", "a and b()"),
        (3, 6, "and", "a"),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"local x = 1\n\n-- nothing\nreturn x", {1, 4}),
        (b"local x\nreturn x", {2}),
        (b"#!lua\nlocal x = 1\nreturn x", {2, 3}),
        (b"if KEYS then\n  return 1\nelse\n  return 2\nend", {1, 2, 4}),
        (b"local function f()\n  return 1\nend\nreturn f()", {2, 3, 4}),
        (b"local function f()\n  KEYS()\nend\nreturn f()", {2, 3, 4}),
        (b"while KEYS do\n  break\nend\nreturn 1", {1, 2, 4}),
        (b"if not KEYS then\n  if ARGV then\n    return 1\n  end\nelseif ARGV then\n  return 2\nend\nreturn 3",
         {1, 2, 3, 5, 6, 8}),
        (b"for i = 1, 2 do\n  KEYS()\nend\nreturn {\n  1,\n  'x',\n}", {1, 2, 4, 5, 7}),
    ],
)  # fmt: skip
def test_a_line_counts_when_something_on_it_can_run(text, lines):
    assert executable(text) == lines


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)
def test_lines_are_those_of_the_servers_own_debugger(script, server, engine, client):
    """Each call of the examples, from the same state, under both instruments."""
    compared = 0
    for moment in moments(registry(), operations(), client, script, lambda call: run(client, call)):
        seconds, microseconds = client.time()
        found = engine.run(moment.call, watch="lines", clock=seconds * 1_000_000 + microseconds)
        restore(client, moment.state)
        stepped = lines_run(server.url, moment.call)
        for _ in range(5):
            if set(stepped) == set(found.lines):
                break
            # A millisecond may have passed between them: once more, from the same state.
            restore(client, moment.state)
            found = engine.run(moment.call, watch="lines")
            restore(client, moment.state)
            stepped = lines_run(server.url, moment.call)
        assert set(stepped) == set(found.lines)
        compared += 1
    assert compared


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)
def test_no_line_moves_in_the_watched_copy(script):
    copy = copy_of(script.source)

    assert copy.watched.count(b"\n") == copy.text.count(b"\n")
    assert executable(copy.watched) >= executable(script.source)
    assert bool(copy.forks) == (re.search(rb"\n *if ", script.source) is not None)


def test_watching_lines_costs_no_reply(engine, client):
    """Multiple values, methods, varargs and long strings go through the copy unharmed."""
    text = """
        local function f(...) return select('#', ...), ... end
        local t = {f(1, nil) and f(2, 3)}
        local s = ('x'):rep(2) .. (KEYS[1] or [[
long]])
        for _, v in ipairs({3, 4}) do t[#t + 1] = v > 3 and v or -v; if v == 9 then break end end
        return {t[1], t[2], t[3], s}
    """
    replies: list[Any] = [
        engine.run(script_call(text), watch=watch).reply for watch in ("none", "lines")
    ]

    assert replies[0] == replies[1]
    assert replies[0][-1] == b"xxlong"
