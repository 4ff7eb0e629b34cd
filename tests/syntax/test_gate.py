"""The verdict on syntax: the server's own, without running anything."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import redis

from redislua.syntax.gate import compile_error

SCRIPTS = sorted((Path(__file__).parents[2] / "scripts").rglob("*.lua"))
HEAD = b"#!lua\n--- Do.\n"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_of_the_catalogue_compiles(path):
    assert compile_error(path.name, path.read_bytes()) is None


BROKEN = [
    (b"local a == 1", 3, 9, "near '=='"),
    (b"if a the b end", 3, 6, "'then' expected near 'the'"),
    (b"local a = 1\n\nreturn {", 5, 8, "near '<eof>'"),
    (b"goto done", 3, 6, "near 'done'"),
    (b"local x = 7 // 2", 3, 13, "near '/'"),
    (b"local x <const> = 1", 3, 9, "near '<'"),
    (b"x = 'open", 3, 5, "unfinished string"),
    (b"return \x01", 3, 8, "near"),
]


@pytest.mark.parametrize(("body", "line", "column", "problem"), BROKEN)
def test_what_does_not_compile_is_named_with_its_place(body, line, column, problem):
    error = compile_error("a/b.v1.lua", HEAD + body)

    assert error is not None
    assert problem in error.problem
    assert (error.line, error.file) == (line, "a/b.v1.lua")
    assert error.column <= column or problem == "near '<eof>'"


BRACKETS = [
    # Stock Lua 5.1 refuses "[[" inside "[[ ]]"; servers are built to take it for text.
    b"return [[ a [[ b ]]",
    b"--[[ x [[ y ]] return 1",
    b"return [[ a [[ b ]] c ]]",
    b"return [==[ a [[ b ]==]",
    b'return \'[[\' .. "[[ \\" [[" -- [[ [[',
    b"local a = [[ [[\n ]] local b == 1",
    b"local t = {} return t[t[[[ x [[ y ]]]]",
    b"return [[ a [[ b",
]


@pytest.mark.parametrize(
    "body", [*(body for body, *_ in BROKEN), *BRACKETS, b"return 1", b"", b"local a\n"]
)
def test_the_verdict_and_the_line_are_the_servers(body, client):
    error = compile_error("x.lua", HEAD + body)

    if error is None:
        client.script_load(HEAD + body)
    else:
        with pytest.raises(redis.ResponseError, match=f"user_script:{error.line}:"):
            client.script_load(HEAD + body)


def test_nothing_is_run():
    """A chunk that would never end, and ones that would reach Python or the disk."""
    for body in (b"while true do end", b"python.eval('1/0')", b"os.exit(3)", b"error('ran')"):
        assert compile_error("x.lua", HEAD + body) is None


def test_bytecode_is_refused_and_never_handed_to_lua():
    error = compile_error("x.lua", b"\x1bLuaQ\x00\x01\x04\x08\x04\x08\x00")

    assert error is not None
    assert error.problem == "the file is Lua bytecode"


def test_limits_of_the_compiler_are_reported():
    many = b"\n".join(b"local a%d = 1" % number for number in range(201))
    deep = b"return " + b"(" * 300 + b"1" + b")" * 300

    for body, problem in ((many, "more than 200 local variables"), (deep, "overflow")):
        error = compile_error("x.lua", HEAD + body)
        assert error is not None
        assert problem in error.problem or "levels" in error.problem


def test_two_thousand_mutants_are_judged_as_the_server_judges_them(client):
    """Token mutants of the catalogue and bracket soup: one verdict, never an exception."""
    rng = random.Random(7)
    sources = [path.read_bytes() for path in SCRIPTS]
    tokens = [
        b"[[",
        b"]]",
        b"[=[",
        b"]=]",
        b"--",
        b"'",
        b'"',
        b"\\",
        b"\n",
        b"end",
        b"(",
        b"x",
        b"=",
        b" ",
    ]
    mutants = []
    for _ in range(1_000):
        mutants.append(HEAD + b"".join(rng.choices(tokens, k=rng.randrange(1, 16))))
        words = re.split(rb"(\W)", rng.choice(sources)[:4_000])
        at = rng.randrange(len(words))
        words[at : at + rng.randrange(3)] = rng.choices(tokens, k=rng.randrange(3))
        mutants.append(HEAD + b"".join(words).removeprefix(b"#!lua"))

    with client.pipeline(transaction=False) as pipe:
        for mutant in mutants:
            pipe.script_load(mutant)
        verdicts = pipe.execute(raise_on_error=False)

    wrong = [
        mutant
        for mutant, verdict in zip(mutants, verdicts, strict=True)
        if (compile_error("x.lua", mutant) is None) == isinstance(verdict, Exception)
    ]
    assert wrong == []
    assert 200 < sum(isinstance(verdict, Exception) for verdict in verdicts) < 1_900
