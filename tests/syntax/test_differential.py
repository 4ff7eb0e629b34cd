"""The gate says what the server says: the same verdict, the same words, the same line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
import redis

from redislua.syntax.tokens import tokens
from redislua.syntax.verdict import locate, restored, verdict
from tests.syntax.mutants import CATALOGUE, REALISTIC, mutants

HAND_MADE = [
    # Lua 5.1 as it is.
    b"return 1",
    b"",
    b"return",
    b"return;",
    b"local a; local b",
    b"local t = {1, 2; 3, [4] = 5, six = 6,}",
    b"return 0x1F, .5, 3., 1e3, 1E-3, 0x1p4, 5e+1",
    b"return 'a\\\nb', \"\\065\\\"\", '\\-', '\\q', '\\x41', '\\u{41}', '\\z  a'",
    b"return [==[ ]] ]==], [[ [[ ]], [[\n[[ [[]]",
    b"--[==[ ]] ]==] return 1",
    b"-- [[ a\nreturn 1",
    b"f{1} f'a' f[[b]] f:g'c'",
    b"local function f(...) return ... end return f(...)",
    b"return arg, ...",
    b"while true do break end repeat break until true for i = 1, 2 do break end",
    b"for a, b, c in d, e do end",
    b"return not - # x ^ 2 .. 'a' .. 'b'",
    b"return (f)(), (f()).a, ('a'):b()",
    b"a.b.c, d[1], e = 1, 2",
    b"function a.b.c:d(e, ...) end",
    b"local function goto_(continue) return continue end",
    b"goto = 1 continue = goto",
    b"return 'caf\xc3\xa9 \xff \x00 \x01'",
    b"return 1 -- \xff\x00",
    b"x = 1\r\ny = 2\r\n",
    b"x = 1\n\ry = 2\r",
    b"\f\vreturn\t1",
    # Refused: by the parser.
    b"local a == 1",
    b"if a the b end",
    b"if a then",
    b"while true do x() ",
    b"for i = 1 do end",
    b"for i, 2 in x do end",
    b"function f( return end",
    b"function f(..., a) end",
    b"function f() return ... end",
    b"function a:b.c() end",
    b"return 1 return 2",
    b"return {1, 2",
    b"f(1,)",
    b"f\n(1)",
    b"f() = 1",
    b"(a) = 1",
    b"a.b:c = 1",
    b"a, f() = 1",
    b"local a.b = 1",
    b"local 1 = a",
    b"break",
    b"do break x = 1 end",
    b"end",
    b"x = end1 + end end",
    b"x",
    b"x.y",
    b"x = = 1",
    b"local nil = 1",
    b"repeat local a = 1",
    b"if x then else elseif y then end",
    b"\n\nfunction f(\n\n  return",
    # Refused: by the lexer.
    b"x = 'open",
    b"x = 'open\ny'",
    b"x = 'a\\\nb\nc'",
    b'x = "a\\',
    b"x = [[ open\n\n",
    b"x = [==[ open ]]",
    b"--[[ open\n\n",
    b"x = [=a",
    b"x = [==",
    b"x = 0x",
    b"x = 1e",
    b"x = 1e+",
    b"x = 1..2",
    b"x = 3x",
    b"x = 1.2.3",
    b"x = '\\300'",
    b"x = '\\2561'",
    b"x = \0",
    b"x = \x01",
    b"x = \x7f",
    b"\x1bLuaQ\x00\x01\x04\x08\x04\x08\x00",
    b"\x1breturn 1",
    b"x = \xc3\xa9",
    b"x \xff",
    b"\xef\xbb\xbfreturn 1",
    b"@x",
    b"x = $",
    b"x = ?",
    b"x = 'a' 'b' [[ a [[ b ]]",
    b"x y [[ [[ ]]",
    b"{ [[ a\n[[ b ]] }",
    # Lua 5.2 and newer, and other languages.
    b"goto done\n::done::",
    b"for i = 1, 2 do goto continue ::continue:: end",
    b"local x = 7 // 2",
    b"local x = 7 & 1",
    b"local x = 7 | 1",
    b"local x = 7 ~ 1",
    b"local x = ~7",
    b"local x = 7 << 1",
    b"local x = 7 >> 1",
    b"local x <const> = 1",
    b"local x <close> = nil",
    b"x = 1LL",
    b"x = 0b1",
    b"x = 1_000",
    b"x = 0x1p-4",
    b"x += 1",
    b"x++",
    b"if a != b then end",
    b"if a && b then end",
    b"while true do continue end",
    b"a();;",
    b";",
    b"while true do break; x = 1 end",
    b"x = 'a\\z\n  b'",
    b"x = a ? b : c",
    # Templates and shebangs.
    b"redis.call('GET', %s)",
    b"local ttl = {ttl} {body}",
    b"return ${value}",
    b"<%= include 'a' %>",
    b"redis.call('SET', @key, @value)",
    b'--- @include "x"\nreturn 1',
    b"--!df flags=allow-undeclared-keys\nreturn 1",
    b"#!lua\nreturn 1",
    b"#!lua flags=no-writes\nx == 1",
    b"#!lua\n",
    b"\n#!lua\nreturn 1",
    b"#lua\nreturn 1",
    # Limits.
    b"\n".join(b"local a%d = 1" % number for number in range(200)),
    b"\n".join(b"local a%d = 1" % number for number in range(201)),
    b"local function f()\n" + b"local a = 1\n" * 201 + b"end",
    b"local " + b",".join(b"a%d" % number for number in range(61)) + b"\nreturn function()\n"
    b" return " + b" + ".join(b"a%d" % number for number in range(61)) + b"\nend",
    b"return " + b"(" * 150 + b"1" + b")" * 150,
    b"return " + b"(" * 300 + b"1" + b")" * 300,
    b"return " + b"{" * 300 + b"}" * 300,
    b"do " * 300 + b"end " * 300,
    b"return " + b"(" * 100_000,
    b"return " + b"a .. " * 300 + b"a",
    b"return " + b"- - " * 300 + b"1",
    b"return 1" + b" + 1" * 10_000,
]


def differences(client: redis.Redis, sources: Iterable[bytes]) -> list[tuple[bytes, str, str]]:
    """Load scripts into the server; those of which the gate says something else."""
    found = []
    remaining = iter(sources)
    while batch := list(itertools.islice(remaining, 500)):
        with client.pipeline(transaction=False) as pipe:
            for source in batch:
                pipe.script_load(source)
            replies = pipe.execute(raise_on_error=False)
        client.script_flush()
        for source, reply in zip(batch, replies, strict=True):
            said = str(reply) if isinstance(reply, Exception) else ""
            ours = in_server_words(source)
            if (ours == "") != (said == "") or ours not in said:
                found.append((source, ours, said))
    return found


def in_server_words(source: bytes) -> str:
    """The gate's verdict in the words of an error reply, which is one line."""
    refusal = verdict(source)
    if refusal is None:
        return ""
    read = tokens(source)
    index = locate(refusal, read)
    words = restored(refusal, source, read[index] if index < len(read) else None)
    message = b"user_script:%d: " % refusal.line + words
    return message.replace(b"\r", b" ").replace(b"\n", b" ").decode("utf-8", "replace")


def test_hand_made_cases_are_judged_in_the_servers_words(client):
    assert len(HAND_MADE) > 100

    assert differences(client, [*HAND_MADE, *REALISTIC, *CATALOGUE]) == []


def test_mutants_are_judged_in_the_servers_words(client):
    tried = list(mutants(7, 1_500, after=1))

    assert differences(client, tried) == []
    assert 500 < sum(verdict(one) is not None for one in tried) < 1_450


@pytest.mark.soak
def test_a_hundred_thousand_mutants_are_judged_in_the_servers_words(client, soak):
    assert differences(client, mutants(11, soak(1_000, 100_000), after=1)) == []


def test_a_text_cut_anywhere_is_judged_in_the_servers_words(client):
    for source in REALISTIC:
        assert differences(client, (source[:size] for size in range(len(source)))) == []
