"""Whether calls fit the grammar of their command: what servers take is never called wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import redis

from redislua.syntax.commands import Command, Table, table
from redislua.syntax.commands.fitting import fit
from redislua.syntax.commands.syntax import read_syntax
from tests.syntax.commands.calls import CALLS, words
from tests.syntax.commands.test_replies import prepare, row_of

RUN = "return redis.call(unpack(ARGV))"

MUTANTS = 2500
OTHERS = words(
    "NX XX GT LT CH KEEPTTL EX PX 5 0 -1 1.5 abc 90d (5 * $ - + [a ~ = LIMIT COUNT inf 05 BYLEX "
    "BYSCORE REV WITHSCORES STREAMS WEIGHTS KM MAX ASC ALPHA MATCH JUSTID FIELDS 5-1 u8 #1"
)[0]
REFUSALS = (
    "syntax error",
    "not an integer",
    "not a float",
    "not a valid",
    "wrong number",
    "invalid",
    "unsupported unit",
    "must be",
    "should be",
    "unknown subcommand",
    "unbalanced",
    "not compatible",
    "exactly one of",
    "min or max",
)
"""What servers say of words that they cannot read."""

REFUSED = [
    ("SET s v NX XX", 3),
    ("SET s v EX 5 KEEPTTL", 4),
    ("SET s v keepttl px 5", 3),
    ("SET s v TTL 5", 2),
    ("SET s v PX", 3),
    ("SET s v EX 0", 3),
    ("SETEX s 1.5 v", 1),
    ("GETEX s EX 5 PERSIST", 3),
    ("EXPIRE s 90d", 1),
    ("EXPIRE s 60 NX XX", 3),
    ("EXPIRE s 60 GT LT", 3),
    ("INCRBY s x", 1),
    ("INCRBY s 05", 1),
    ("ZADD z a 5", 1),
    ("ZADD z NX GT 1 m", 2),
    ("ZADD z XX NX 1 m", 2),
    ("ZRANGE z -inf +inf", 3),
    ("ZRANGE z (1 5 WITHSCORES", 4),
    ("ZRANGE z a c BYLEX", 1),
    ("ZRANGEBYSCORE z 1 5 LIMIT 0", 5),
    ("ZRANGEBYSCORE z [1 5", 1),
    ("ZUNIONSTORE d 3 z y", 4),
    ("ZUNIONSTORE d 2 z y AGGREGATE AVG", 5),
    ("ZINTER two z y", 0),
    ("GEOSEARCH p FROMLONLAT 1 2 BYRADIUS 5 COUNT 10", 6),
    ("GEODIST p a b miles", 3),
    ("XADD x MAXLEN ~ 1000 type ack by b", 4),
    ("XADD x 5_1 f v", 1),
    ("XREAD COUNT 5 STREAMS x y 0", 6),
    ("XREAD COUNT many STREAMS x 0", 1),
    ("LMOVE l m LEFT UP", 3),
    ("LINSERT l NEAR a b", 1),
    ("LPOP l all", 1),
    ("LRANGE l 0 end", 2),
    ("SCAN 0 PATTERN a*", 1),
    ("HSCAN h 0 COUNT", 3),
    ("BITFIELD b GET u65 0", 2),
    ("BITFIELD b OVERFLOW CLAMP INCRBY i5 0 1", 2),
    ("SETBIT b 7 2", 2),
    ("SORT l LIMIT 0", 3),
    ("XGROUP CREATE x new last", 3),
    ("OBJECT ENCODING", 1),
]


def literals(call: list[str]) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in call)


def answer(client: redis.Redis, call: list[str]) -> str:
    """The server's error, or ``""``."""
    try:
        client.eval(RUN, 0, *call)
    except redis.ResponseError as error:
        return str(error)
    return ""


def mutants(known: Table, seed: int) -> Iterator[tuple[Command, list[str]]]:
    """Calls that a server takes, with words changed, left out, added or swapped.

    Their keys and groups stay as they are: where these are missing, some commands answer
    before they read what follows. No word comes twice, as some options then lose their value.
    """
    chance = random.Random(seed)
    calls = [call for call in words(CALLS) if "no" not in call]
    for _ in range(MUTANTS):
        call = list(chance.choice(calls))
        row = row_of(known, call)
        if row is None or not row.is_allowed or row.name.startswith(("MIGRATE", "WAIT")):
            continue
        first = len(row.name.split()) + (row.name not in ("SCAN", "ZUNION", "ZINTER"))
        first += row.group == "stream"
        at = chance.randrange(first, max(first, len(call)) + 1)
        match chance.randrange(4):
            case 0:
                del call[at : at + 1]
            case 1:
                call[at : at + 1] = [chance.choice(OTHERS)]
            case 2:
                call.insert(at, chance.choice(OTHERS))
            case 3:
                call[at : at + 2] = reversed(call[at : at + 2])
        if len({word.upper() for word in call[first:]}) == len(call) - first:
            yield row, call


@pytest.mark.parametrize(("text", "at"), REFUSED)
def test_the_first_word_that_cannot_stand_where_it_does_is_found(client, known, text, at):
    call = text.split()
    row = row_of(known, call)
    if row is None:
        pytest.skip(f"{known.server} has no {call[0]}")
    prepare(client, known)

    found = row.misfit(literals(call[1:]))

    assert (found.at if found else None, answer(client, call) != "") in {(at, True), (None, True)}
    if len(call) - 1 >= abs(row.arity) - 1:
        assert found is not None


def test_no_call_that_works_is_a_misfit(client, known):
    wrong = []
    for call in words(CALLS):
        row = row_of(known, call)
        if row is None or not row.is_allowed:
            continue
        found = row.misfit(literals(call[1:]))
        prepare(client, known)
        if found is not None and not answer(client, call):
            wrong.append((call, found))

    assert wrong == []


def test_misfits_are_refused_and_most_refused_calls_are_misfits(client, known):
    refused = told = 0
    wrong = []
    for row, call in mutants(known, seed=7):
        found = row.misfit(literals(call[1:]))
        prepare(client, known)
        error = answer(client, call).lower()
        if found is not None and not error:
            wrong.append((call, found))
        if row.takes(len(call) - 1) and any(text in error for text in REFUSALS):
            refused += 1
            told += found is not None

    assert wrong == []
    assert refused > 300
    assert told / refused > 0.85, f"{told} of {refused}"


@pytest.mark.parametrize(
    "call",
    [
        ("SET", b"k", b"v", None, None, b"NX", None),
        ("SET", b"k", None, b"EX", None),
        ("ZADD", b"k", None, None),
        ("ZADD", b"k", None, b"1", b"m"),
        ("EXPIRE", b"k", None, None),
        ("XADD", b"k", None, b"f", b"v"),
        ("ZRANGE", b"k", None, None, None),
        ("ZUNIONSTORE", b"d", None, b"a", b"b", b"WEIGHTS", None, None),
        ("GEOSEARCH", b"k", None, None, None, b"BYRADIUS", None, None, None),
    ],
)
def test_words_that_are_no_literals_fit_everywhere(call):
    row = table("valkey-9.1").get(call[0])
    assert row is not None

    assert row.misfit(call[1:]) is None


@pytest.mark.parametrize(
    ("call", "is_misfit"),
    [
        (("SET", b"k", None), False),
        (("SET", b"k", b"v", b"EX", None), False),
        (("SET", b"k", b"v", b"TTL", None), True),
        (("ZADD", b"k", None), False),
        (("ZADD", b"k", b"NX", b"XX", None), True),
        (("GEOSEARCH", b"k", b"FROMMEMBER", None), False),
        (("GEOSEARCH", b"k", b"FROM", None), True),
    ],
)
def test_what_follows_an_open_call_is_not_asked_for(call, is_misfit):
    row = table("valkey-9.1").get(call[0])
    assert row is not None

    assert (row.misfit(call[1:], is_open=True) is not None) == is_misfit


@pytest.mark.parametrize(
    ("text", "call", "at"),
    [
        ("a:key [X|Y n:integer]", b"k X Y 1", 2),
        ("a:key [X|Y n:integer] [Z]", b"k Z X", None),
        ("a:key {X} [Y]", b"k Y", 2),
        ("a:key {X} [Y]", b"k Y X", None),
        ("(A|B) n:integer...", b"A 1 2 x", 3),
        ("numkeys:integer a:key... [X]", b"2 a X", None),
        ("numkeys:integer a:key... [X]", b"1 a a", 2),
        ("S (a:key... b:integer...)", b"S a b 1", 4),
        ("S (a:key... b:integer...)", b"S a b 1 2", None),
        ("a:key [n:integer [m:integer]]", b"k 1 x", 2),
        ("a:key [(M|N) [=|~] t:integer [LIMIT c:integer]] i:integer", b"k M ~ 5 LIMIT 6 1", None),
        ("a:key [(M|N) [=|~] t:integer] i:integer", b"k M ~ 5 x", 4),
    ],
)
def test_a_grammar_is_read_as_the_documentation_means_it(text, call, at):
    found = fit(read_syntax("EXAMPLE", text), tuple(call.split()))

    assert (found.at if found else None) == at


def test_two_options_that_exclude_each_other_are_both_named():
    row = table("redis-7.0").get("SET")
    assert row is not None

    found = row.misfit((b"k", b"v", b"nx", b"EX", b"5", b"xx"))

    assert found is not None
    assert (found.at, found.against) == (5, "NX")
