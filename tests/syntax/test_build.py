"""The tree of a script: what is in it, and what its names mean."""

from __future__ import annotations

from redislua.syntax.brackets import flatten_nested
from redislua.syntax.chunk import parse
from redislua.syntax.lines import line_starts
from redislua.syntax.nodes import Binary, Constant, For, ForIn, Index, Item, Name, Number


def test_a_comment_may_stand_anywhere_and_is_no_part_of_what_it_stands_in() -> None:
    chunk = parse(
        b"local --1\n a --2\n = f( --3\n x, --4\n 10 --5\n + --6\n 20)\n"
        b"for i = --7\n 1, --8\n 2, --9\n 3 do end\n"
        b"for _, v in --10\n pairs(a) do end\n"
        b"local t = {--11\n k = --12\n 1, --13\n}\n"
        b"local n = not --14\n t[ --15\n a]\n"
        b"return --16\n (--17\n t)\n"
    )

    assert [one.text for one in chunk.comments] == [b"--%d" % (n + 1) for n in range(17)]
    (added,) = chunk.of(Binary)
    assert (added.operator, chunk.text(added.left), chunk.text(added.right)) == ("+", "10", "20")
    assert len(next(chunk.calls_to("f")).arguments) == 2
    (counted,) = chunk.of(For)
    bounds = (counted.first, counted.last, counted.step)
    assert [one.number for one in bounds if isinstance(one, Number)] == [1, 2, 3]
    assert [len(one.values) for one in chunk.of(ForIn)] == [1]
    assert [chunk.value(one.value).constant for one in chunk.of(Item)] == [1]
    assert [chunk.text(one.key) for one in chunk.of(Index)] == ["a"]
    assert [one.name for one in chunk.variables] == ["a", "i", "_", "v", "t", "n"]


def test_a_name_may_be_a_word_of_a_later_lua() -> None:
    """`global` is an ordinary name in 5.1, wherever a name may stand."""
    chunk = parse(
        b"local global = 1 -- global\n"
        b"look(t[global], t.global, t:global(), {global = global}, 'global')\n"
        b"function t.global() end function t:global() end\n"
        b"global, other = global\n"
    )

    assert [one.name for one in chunk.variables if one.name != "self"] == ["global"]
    assert len(chunk.variables[0].reads) == 3
    (call,) = chunk.calls_to("look")
    assert [chunk.text(one) for one in call.arguments] == [
        "t[global]",
        "t.global",
        "t:global()",
        "{global = global}",
        "'global'",
    ]
    assert [one.text for one in chunk.comments] == [b"-- global"]


def test_a_name_means_the_innermost_local_that_is_declared_before_it() -> None:
    chunk = parse(
        b"look(x) local x = 1 look(x) do local x = 2 local x = 3 look(x) end look(x)\n"
        b"repeat local x = 4 until look(x) local x = look(x)"
    )

    passed = [call.arguments[0] for call in chunk.calls_to("look")]
    known = [chunk.value(one).constant for one in passed if isinstance(one, Name) and one.variable]
    assert known == [1, 3, 1, 4, 1]


def test_all_nodes_of_a_class_come_in_the_order_of_the_text() -> None:
    chunk = parse(b"a[nil], b = true, false")

    starts = [one.start for one in chunk.of(Constant)]
    assert starts == sorted(starts)
    assert len(starts) == 3


def test_lines_end_at_newlines_alone() -> None:
    assert line_starts(b"") == [0]
    assert line_starts(b"a\r\nb\rc\n") == [0, 3, 7]
    assert line_starts(b"\n\nx") == [0, 1, 2]


def test_a_long_bracket_inside_another_is_flattened_and_no_other() -> None:
    assert flatten_nested(b"x = [[ a [[ b ]]") == b"x = [[ a [  b ]]"
    assert flatten_nested(b"--[[ a [[[[ b ]]") == b"--[[ a [ [  b ]]"
    assert flatten_nested(b"x = [[[[a]]") == b"x = [[[ a]]"
    for plain in (b"--[[ a ]] x = [[ b ]]", b"t[a[1]] = t[u[2]]", b"x = '[[' y = '[['"):
        assert flatten_nested(plain) == plain
