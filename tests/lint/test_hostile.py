"""Whatever a file holds, linting it gives diagnostics: no exception, and an end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.lint.diagnostic import Diagnostic, Severity
from redislua.lint.engine import Linter, lint_source
from tests.syntax.mutants import CATALOGUE, REALISTIC, mutants

LINTER = Linter()
PATIENCE = 10.0
"""Seconds of processor time that only something out of hand takes: a script takes 0.002."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop with `TimeoutError` what takes more of the processor's time, rather than wait."""

    def out_of_hand(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, out_of_hand)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def lint(source: bytes) -> list[Diagnostic]:
    """Lint a text as a run does, and look at what is found."""
    found = LINTER.file(source, "hostile.lua").diagnostics
    lines = source.count(b"\n") + 1
    for one in found:
        assert 1 <= one.line <= lines
        assert one.column >= 1
        assert (one.end_line, one.end_column) >= (one.line, one.column)
        assert "\n" not in one.message
        assert isinstance(one.severity, Severity)
    return found


@pytest.mark.soak
def test_mutants_have_diagnostics_and_no_traceback(soak: Callable[[int, int], int]):
    for source in mutants(31, soak(150, 100_000)):
        with at_most(PATIENCE):
            lint(source)


@pytest.mark.soak
def test_a_script_cut_anywhere_has_diagnostics_and_no_traceback(soak: Callable[[int, int], int]):
    step = soak(97, 1)
    for source in [*CATALOGUE, *REALISTIC]:
        for size in range(0, len(source), step):
            lint(source[:size])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_random_bytes_have_diagnostics_and_no_traceback(source: bytes):
    lint(source)
    lint(b"#!lua\n" + source)


PIECES = (
    b"redis.call( redis.pcall KEYS ARGV [1] ( ) { } , 'GET' 'HSET' 'XADD' local x = y return if "
    b"then end else for i=1, do while function(...) function f(a) f ... tonumber( unpack( .. + - "
    b"# not and or nil true 1 1e309 0/0 'a' [[b]] :sub( .err error( repeat until break goto "
    b"pcall(redis.call, --redislua:ignore[RL201]--why"
).split()
LUA = st.sampled_from([*PIECES, b"-- redislua: ignore[RL201] -- why\n", b"\n"])


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(LUA, max_size=40))
def test_pieces_of_lua_in_any_order_have_diagnostics_and_no_traceback(pieces: list[bytes]):
    lint(b" ".join(pieces))


DEEP = {
    "calls": b"f(" * 150 + b")" * 150,
    "parentheses": b"return " + b"(" * 100_000,
    "closed parentheses": b"return " + b"(" * 190 + b"1" + b")" * 190,
    "tables": b"return " + b"{" * 190 + b"}" * 190,
    "blocks": b"do " * 190 + b"end " * 190,
    "functions": b"return " + b"function() return " * 190 + b"1" + b" end" * 190,
    "concatenations": b"local a = '' return a" + b" .. a" * 150,
    "sums": b"local a = 1 return a" + b" + a" * 20_000,
    "indexes": b"local a = {} return a" + b".a" * 20_000,
    "calls of calls": b"local a = f return a" + b"()" * 20_000,
    "elseifs": b"if a then" + b" elseif a then" * 5_000 + b" end",
    "assignments": b"local a = 1\n" + b"a = a + 1\n" * 20_000,
    "branches": b"local a = KEYS[1]\n" + b"if a then a = a .. 'x' end\n" * 2_000,
    "loops": b"for i = 1, 2 do " * 150 + b"redis.call('GET', KEYS[1]) " + b"end " * 150,
    "mutual recursion": b"local f, g function f(a) return g(a) end function g(a) return f(a) end "
    b"redis.call('GET', f(KEYS[1]))",
    "a local of itself": b"local a = a a = a return redis.call('GET', a)",
    "chain of locals": b"".join(
        b"local function f%d(a) return f%d(a) end\n" % (number, number - 1)
        for number in range(1, 150)
    )
    + b"redis.call('GET', f149(KEYS[1]))",
    "doubling": b"local a = KEYS[1]\n" + b"a = a .. a\n" * 200 + b"return redis.call('GET', a)",
    "doubling forty times": b"local a = KEYS[1]\n" + b"a = a .. a\n" * 40 + b"redis.call('GET', a)",
    "doubling a constant": b"local a = 'x'\n" + b"a = a .. a\n" * 40 + b"redis.call('GET', a)",
    "squaring": b"local a = tonumber(ARGV[1])\n" + b"a = a * a\n" * 40 + b"redis.call('GET', a)",
    "commands": b"redis.call('GET', KEYS[1])\n" * 5_000,
    "names": b"x%d = y\n" * 1_000,
    "one line": b"redis.call('SET', KEYS[1], ARGV[1]) " * 10_000,
    "comments": b"-- redislua: ignore[RL201] -- x\n" * 5_000,
    "suppressions": b"-- redislua: ignore[" + b"RL201," * 5_000 + b"] -- x\n",
    "loops over a counter": b"local i = 0\n" + b"while i < 3 do i = i + 1 end\n" * 3_000,
    "loops over arguments": b"while #ARGV > 0 do end\n" * 3_000,
    "one list unpacked": b"local a = redis.call('SMEMBERS', KEYS[1])\n"
    + b"redis.call('DEL', unpack(a))\n" * 3_000,
    "one expiry copied": b"local a = redis.call('PTTL', KEYS[1])\n"
    + b"redis.call('PEXPIRE', KEYS[2], a)\n" * 3_000,
    "sizes asked": b"if redis.call('SCARD', KEYS[1]) == 4 then redis.call('SMEMBERS', KEYS[1]) end\n"
    * 2_000,
    "NUL": b"\0" * 100_000,
    "strings": b"return '" + b"\\x41" * 10_000 + b"'",
    "placeholders": b"redis.call('GET', '%s') " * 1_000 + b"<%= x %>",
    "header": b"#!lua\n--- A.\n" + b"-- @key a b:{<c>} string\n" * 5_000,
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP)
def test_deep_and_long_scripts_come_to_an_end(source: bytes):
    with at_most(PATIENCE):
        lint(source)


@pytest.mark.parametrize(
    "source",
    [b"\0" * (10 << 20), b"x = 1\n" * (10 << 20 >> 3), b"(" * (10 << 20)],
    ids=["NUL", "lines", "parentheses"],
)
def test_ten_megabytes_have_one_diagnostic_at_most(source: bytes):
    assert len(lint_source(source, path="large.lua")) <= 1
