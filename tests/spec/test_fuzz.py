"""The header parser on garbage: no exception but its own, and work linear in its input.

100 000 texts in all: plain mutations of real headers, token soup, and what hypothesis
finds. The number of steps counts every character that the scanner looks at.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.errors import HeaderError, ScriptsRefused
from redislua.spec.cursor import Meter
from redislua.spec.model import Script
from tests.spec.headers import GOOD, read

STEPS_PER_BYTE = 40
MUTANTS = 80_000
SOUPS = 16_000
CHUNKS = 8

SCRIPTS = sorted((Path(__file__).parents[2] / "scripts").rglob("*.v*.lua"))
TOKENS = (
    "-- @version 1.0.0\n",
    "-- @key a b:{<c>} hash\n",
    "-- @arg x int 1..2\n",
    "-- @arg rows:(a:int b:str)... 1..8\n",
    "-- @returns Hit value:bytes?\n",
    "-- @example t\n",
    '--   x a=[(1, 2) (b\'\\x00\', "q\\"")] -> Hit value=$1.x\n',
    *("-- @", "--", "---", "\n", " ", "\t", "@", "(", ")", "[", "]", "{", "}", "<", ">", ":"),
    *(",", "..", "...", "=", "<=", ">=", "->", "'", '"', "\\", "b'", "$1.", "#!lua", "_", "-"),
    *("0", "9" * 50, "é", "\u202e", "\0", "\r", "x" * 100, "enum(", "n=", "calls<=", "none"),
)


def check(data: bytes) -> None:
    """Parse and hold the parser to its promise."""
    meter = Meter()
    outcome: Script | tuple[HeaderError, ...]
    try:
        outcome = read(data, meter=meter)
    except ScriptsRefused as refused:
        outcome = refused.problems
    if isinstance(outcome, tuple):
        assert outcome
        assert all(isinstance(problem, HeaderError) and str(problem) for problem in outcome)
    assert meter.steps <= STEPS_PER_BYTE * len(data) + STEPS_PER_BYTE


def mutate(rng: random.Random, data: bytearray, other: bytes) -> None:
    """Change one thing: a byte, a slice, a line, or a piece of another header."""
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + rng.randrange(1, 24))
    match rng.randrange(7):
        case 0:
            data[at:to] = b""
        case 1:
            data[at:at] = bytes([rng.randrange(256)])
        case 2:
            data[at:at] = rng.choice(TOKENS).encode()
        case 3:
            data[at:at] = data[at:to] * rng.randrange(1, 40)
        case 4:
            start = rng.randrange(len(other))
            data[at:to] = other[start : start + rng.randrange(1, 80)]
        case 5:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            data[:] = b"\n".join(lines)
        case 6:
            data[at:to] = bytes(data[at:to]).swapcase()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_mutated_headers_give_a_script_or_header_errors(chunk):
    rng = random.Random(chunk)
    seeds = [GOOD.encode(), *(path.read_bytes() for path in SCRIPTS)]
    headers = [seed[: seed.rfind(b"\n-- ") + 80] for seed in seeds]

    for _ in range(MUTANTS // CHUNKS):
        data = bytearray(rng.choice(headers))
        for _ in range(rng.randrange(1, 4)):
            mutate(rng, data, rng.choice(headers))
        check(bytes(data))


@pytest.mark.parametrize("chunk", range(2))
def test_token_soup_gives_header_errors(chunk):
    rng = random.Random(100 + chunk)

    for _ in range(SOUPS // 2):
        body = "".join(rng.choices(TOKENS, k=rng.randrange(1, 40)))
        check(f"#!lua\n--- S.\n{body}".encode())


@settings(max_examples=4_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.text(max_size=20)), max_size=30))
def test_generated_headers_give_header_errors(parts):
    check(("#!lua\n--- S.\n" + "".join(parts)).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "line",
    [
        "-- @param " + "a" * 900 + "!",
        "-- @arg x " + "(" * 900,
        "-- @arg x enum(" + "a," * 400,
        "-- @arg x:(" + "a:int " * 150,
        "-- @returns A " + "b:int " * 150,
        "-- @key a " + "<" * 900,
        "-- @key a " + "{" * 900,
        "-- @budget calls<=" + "9" * 900,
        "-- @requires " + "redis>=7 " * 100,
        "-- @example " + "x" * 900 + "\n--   x " + "a=" * 400,
        "-- @example t\n--   x a=" + "[" * 900,
        "-- @example t\n--   x a='" + "\\" * 900,
        "-- @example t\n--   x a=b'" + "\\x" * 440,
        "-- @example t\n--   x " + "a=b " * 200 + "-> " + "A " * 20,
    ],
)
def test_lines_made_to_hurt_cost_no_more_than_others(line):
    check(f"#!lua\n--- S.\n{(line + chr(10)) * 12}".encode())
