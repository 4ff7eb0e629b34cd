"""What is wrong with a text, where exactly, and how it is called."""

from __future__ import annotations

import re

import pytest

from redislua.syntax.gate import problems
from tests.syntax.mutants import CATALOGUE, REALISTIC, mutants


def marked(text: str) -> tuple[bytes, int, int, int]:
    """A text without its marks ``«…»``, and the line, column and width that they enclose."""
    before, _, rest = text.partition("«")
    inner, _, after = rest.partition("»")
    line = before.count("\n") + 1
    column = len(before.rpartition("\n")[2]) + 1
    return (before + inner + after).encode(), line, column, max(1, len(inner.split("\n")[0]))


def test_a_script_that_compiles_has_no_problems():
    for source in [*CATALOGUE, *REALISTIC, b"", b"\n", b"#!lua\n", b"return 'caf\xff'"]:
        assert problems(source) == ()


SYNTAX = [
    ("local a «==» 1", "near '=='"),
    ("local end1, x_end = 1, «end»", "near 'end'"),
    ("local x = y y = x x «x» x x", "near 'x'"),
    ("\t\tlocal  a\t«==» 1", "near '=='"),
    ("local a = 'été €' .. «)»", "near ')'"),
    ("a = ')' b = \")\" -- )\nc = [[)]] d = «)» e = )", "near ')'"),
    ("f('x' «'x'»)", "near ''x''"),
    ("f(1, 'a\\065\\\nb' «[[ x\n]]»)", "near '[[ x ]]'"),
    ("x = {a «b» b}", "near 'b'"),
    ("x = «'open»", "unfinished string"),
    ("x = «'open»\ny'", "unfinished string"),
    ("x = 1\ny = «[[ open»\nz\n", "unfinished long string"),
    ("x = 1\n«--[==[ open»\nz ]]\n", "unfinished long comment"),
    ("x = 'é«\\300»'", "escape sequence too large"),
    ("x = 1 + «3x4y»", "malformed number near '3x4y'"),
    ("x = «[==a», 1".replace("a»", "»a"), "invalid long string delimiter"),
    ("x = «“»a”", "near '“'"),
    ("x = «\0»", "NUL"),
    ("return {\n", "near '<eof>'"),
    ("local é_ = 1".replace("é_ = ", "a = \r\n«==»"), "near '=='"),
]


@pytest.mark.parametrize(("text", "words"), SYNTAX)
def test_a_syntax_error_is_at_the_token_that_lua_means(text, words):
    source, line, column, width = marked(text)
    if "«" not in text:
        line, column, width = text.count("\n") + 1, 1, 1

    (problem,) = problems(source)

    assert words in problem.message
    assert (problem.line, problem.column, problem.width) == (line, column, width)
    assert problem.kind == "syntax"


DIALECT = [
    ("for i = 1, 2 do «goto next» end", "`goto` is Lua 5.2"),
    ("local x = f()\n«::top::»\nreturn x", "`::label::` is Lua 5.2"),
    ("local x = y\n«::top::»", "`::label::` is Lua 5.2"),
    ("return a «//» b", "Lua 5.3: write math.floor(a / b)"),
    ("«// a comment»\nreturn 1", "write `--`"),
    ("x = 1 «// the count of all»", "write `--`"),
    ("«/* a\n comment */» x = 1", "write `--[[ ]]`"),
    ("x = 1 «/* no */»", "write `--[[ ]]`"),
    ("x = 1\n«# comment»", "write `--`"),
    ("return a «&» 1", "bit.band(a, b)"),
    ("f(a «|» 1)", "bit.bor(a, b)"),
    ("return {a «~» 1}", "bit.bxor(a, b)"),
    ("return «~»a", "bit.bnot(a)"),
    ("return a «<<» 1", "bit.lshift"),
    ("return a «>>» 1", "bit.rshift"),
    ("local x «<const>» = 1", "`<const>` is Lua 5.4"),
    ("local x «<close>»= nil", "`<close>` is Lua 5.4"),
    ("return «12LL»", "LuaJIT"),
    ("return «0b101»", "binary number"),
    ("return «1_000»", "without `_`"),
    ("return «0x1p»-4", "hexadecimal float"),
    ("n «+=» 1", "`x = x + …`"),
    ("n «..=» 1", "`x = x .. …`"),
    ("n «//=» 2", "`x = x // …`"),
    ("n«++»", "`x = x + 1`"),
    ("if a «!=» b then end", "`~=`"),
    ("if «!»a then end", "`not`"),
    ("if a «&&» b then end", "`and`"),
    ("if a «||» b then end", "`or`"),
    ("if a «===» b then end", "`==`"),
    ("while x do if y then «continue» end end", "`continue`"),
    ("while x do «continue»; y() end", "`continue`"),
    ("f()«;»; g()".replace("«;»; g", ";«;» g"), "empty statement is Lua 5.2"),
    ("while x do «break»; y() end", "`do break end`"),
    ("while x do if y then «break» z() end end", "`do break end`"),
    ("local «été» = 1", "ASCII"),
    ("return 'a' .. '«\\x41»b'", "write \\065"),
    ("return 'é«\\u{20ac}»'", "write \\226\\130\\172"),
    ('return \'{"n":"«\\u00e9»"}\'', "write \\195\\169"),
    ("return 'a«\\z»   b'", "`\\z` is Lua 5.2"),
    ("return 'a«\\z»\n  b'", "`\\z` is Lua 5.2"),
    ("return a «?» b : c", "`a and b or c`"),
    ("«let» x = 1", "`local`"),
    ("if a then f() «elif» b then g() end", "`elseif`"),
    ("return «`a`»", "in quotes"),
]


@pytest.mark.parametrize(("text", "words"), DIALECT)
def test_other_languages_are_called_by_their_name(text, words):
    source, line, column, width = marked(text)

    (problem,) = problems(source)

    assert words in problem.message
    assert (problem.line, problem.column, problem.width) == (line, column, width)
    assert problem.kind == "dialect"


@pytest.mark.parametrize(
    "source",
    [
        b"return '\\\\x41', '\\x', '\\xg1', [[\\x41]], '\\z', '\\u', '\\-'",
        b"local goto, continue, let = 1, 2, 3 return goto + continue",
        b"return a ~= b, a % 2 -- a & b // c != d",
        b"while x do break end",
        b"x = 0x1p4 y = f();",
    ],
)
def test_what_is_lua_5_1_is_called_nothing_else(source):
    assert problems(source) == ()


def test_all_places_of_a_dialect_are_named_and_the_error_behind_them():
    source = b"local x <const> = a & b\nif x != 1 then goto out end\n::out::\nreturn x x"

    found = problems(source)

    assert [(one.line, one.kind) for one in found] == [
        (1, "dialect"),
        (1, "dialect"),
        (2, "dialect"),
        (2, "dialect"),
        (3, "dialect"),
        (4, "syntax"),
    ]


FILES = [
    (b"\x1bLuaQ\x00\x01", "bytecode"),
    (b"\xef\xbb\xbfreturn 1", "byte order mark"),
    ("return 1".encode("utf-16"), "UTF-16"),
    (b"redis.call('GET', %s)", "`%s`"),
    (b"local t = %(ttl)d", "`%(ttl)d`"),
    (b"return ${x}", "`${x}`"),
    (b"<%= include 'a' %>\nreturn 1", "`<%= include 'a' %>`"),
    (b"redis.call('SET', @key, 1)", "`@key`"),
    (b"{{ prelude }}\nreturn 1", "`{{ prelude }}`"),
    (b"{% if x %}return 1{% endif %}", "`{% if x %}`"),
    (b"{body}\nreturn 1", "`{body}`"),
]


@pytest.mark.parametrize(("source", "words"), FILES)
def test_what_is_no_script_is_said_to_be_none(source, words):
    found = problems(source)

    assert {one.kind for one in found} == {"file"}
    assert words in found[0].message
    assert (found[0].line, found[0].column) == (1, source.find(words.strip("`").encode()) + 1 or 1)


def test_a_part_that_does_not_compile_names_what_it_includes():
    found = problems(b'local x = 1\n--- @include "parts/a"\nend')

    assert [(one.kind, one.line, one.column) for one in found] == [("file", 2, 1), ("syntax", 3, 1)]


LONG = [
    b"x = 1 " * 170_000 + b"x x",
    b"x = '" + b"a" * 1_000_000,
    b"[[" * 500_000,
    b"\\" * 1_000_000,
    b"(" * 100_000,
    b"\0" * 1_000_000,
    b"'" * 999_999,
    b"x = 1 & 1 " * 20_000,
    b"${x} " * 20_000,
    b"<%" * 100_000,
    b"--[==[" * 100_000,
    b"[" + b"=" * 1_000_000,
    b"x" * 1_000_000,
    b"\n" * 1_000_000 + b"=",
    b"-- a line\n" * 1_048_576 + b"return 1 1",
]


@pytest.mark.parametrize("source", LONG, ids=lambda source: repr(source[:8]))
def test_long_texts_have_short_messages_and_a_place(source):
    found = problems(source)

    lines = source.split(b"\n")
    assert found
    for problem in found:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert len(problem.message) <= 400


def test_the_place_in_a_large_file_is_exact():
    last = b"x x = 1 x x"
    found = problems(b"x = 1 -- some line\n" * 100_000 + last)

    assert [(one.line, one.column, one.width) for one in found] == [(100_001, 3, 1)]


@pytest.mark.soak
def test_every_mutant_has_problems_with_a_place_in_the_text(soak):
    for source in mutants(23, soak(1_500, 100_000)):
        lines = re.split(rb"\n", source)
        for problem in problems(source):
            text = lines[problem.line - 1].decode("utf-8", "replace")
            assert 1 <= problem.column <= len(text) + 1
            assert problem.column + problem.width <= len(text) + 2
            assert "\n" not in problem.message
