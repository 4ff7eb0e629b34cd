"""Comments that silence a rule."""

from __future__ import annotations

import pytest

from redislua.lint.engine import lint_source
from redislua.lint.rules.bad_suppression import BadSuppression
from redislua.lint.rules.unused_suppression import UnusedSuppression
from redislua.lint.settings import Settings
from tests.lint.samples import HEADER, Shouting, linter

RULES = (Shouting(), UnusedSuppression(), BadSuppression())


def lint(source: str) -> list[tuple[str, int]]:
    """Code and line of what is found."""
    found = linter(*RULES).file(source.encode(), "a.lua").diagnostics
    return [(one.code, one.line) for one in found]


@pytest.mark.parametrize(
    "source",
    [
        "local a = 'LOUD' -- redislua: ignore[RL001] -- wanted\n",
        "-- redislua: ignore[RL001] -- wanted\nlocal a = 'LOUD'\n",
        "local a = 1\n  -- redislua: ignore[syntax-error] -- wanted\nlocal b = 'LOUD'\n",
        "--redislua:ignore [ RL001 ]--wanted\nlocal a = 'LOUD'\n",
        "local a = 'LOUD' --- redislua: ignore[RL001] -- wanted\n"[:17]
        + "-- redislua: ignore[rl001] -- wanted\n",
        "-- redislua: ignore[RL001, RL002] -- wanted\nlocal a = 'LOUD'\n",
        "-- redislua: ignore[RL001] -- wanted\n-- redislua: ignore[RL002] -- x\nlocal a = 'LOUD'\n",
        "-- redislua: file-ignore[RL001] -- wanted\n\nlocal a = 1\nlocal b = 'LOUD'\n",
        "#!lua\n-- Licence.\n\n-- redislua: file-ignore[RL001] -- wanted\nlocal b = 'LOUD'\n",
        "--[[ Licence ]]\n-- redislua: file-ignore[RL001] -- wanted\nlocal b = 'LOUD'\n",
        "-- redislua: ignore[RL001] -- wanted\r\nlocal a = 'LOUD'\r\n",
    ],
)
def test_a_comment_silences(source):
    assert lint(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("local a = 'LOUD' -- redislua: ignore[RL001] -- x\nlocal b = 'LOUD'\n", [("RL001", 2)]),
        ("-- redislua: ignore[RL001] -- x\n\nlocal b = 'LOUD'\n", [("RL901", 1), ("RL001", 3)]),
        ("local t = [[\n-- redislua: ignore[RL001] -- x\nLOUD]]\n", [("RL001", 3)]),
    ],
)
def test_a_comment_elsewhere_does_not_silence(source, found):
    assert lint(source) == found


def test_a_comment_that_silences_nothing_is_found_and_can_be_removed():
    source = (
        b"local a = 1  -- redislua: ignore[RL001] -- x\n-- redislua: ignore[RL001] -- y\nreturn a\n"
    )

    first, second = linter(*RULES).file(source, "a.lua").diagnostics

    assert first.message == "RL001 finds nothing to silence here"
    for found, left in (
        (first, b"local a = 1\n-- redislua: ignore[RL001] -- y\nreturn a\n"),
        (second, b"local a = 1  -- redislua: ignore[RL001] -- x\nreturn a\n"),
    ):
        assert found.fix is not None
        (edit,) = found.fix.edits
        assert source[: edit.start] + edit.text + source[edit.end :] == left


def test_a_rule_that_was_not_asked_makes_no_suppression_unused():
    source = b"return 1 -- redislua: ignore[RL001] -- x\n"

    assert [one.code for one in lint_source(source)] == ["RL901"]
    assert lint_source(source, settings=Settings(ignore=("RL001",))) == []
    assert lint_source(source, settings=Settings(select=("RL9", "RL002"))) == []


def test_of_several_rules_the_idle_one_is_named():
    class Quiet(Shouting):
        code = "RL002"
        name = "lua52-syntax"

        def check(self, chunk):
            yield from chunk.problems

    source = b"return 'LOUD' -- redislua: ignore[RL001, RL002] -- x\n"
    (found,) = linter(*RULES, Quiet()).file(source, "a.lua").diagnostics

    assert found.message == "RL002 finds nothing to silence here"
    assert found.help == "remove RL002 from it"
    assert found.fix is None


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("-- redislua: ignore[RL001]", "a suppression needs a reason"),
        ("-- redislua: ignore[RL001] --", "a suppression needs a reason"),
        ("-- redislua: ignore[RL001] -- \t", "a suppression needs a reason"),
        ("-- redislua: ignore[RL777] -- x", "no lint rule is called 'RL777'"),
        ("-- redislua: ignore[RL0] -- x", "no lint rule is called 'RL0'"),
        ("-- redislua: ignore[] -- x", "no rule is named"),
        ("-- redislua: ignore RL001 -- x", "this is no suppression that redislua reads"),
        ("-- redislua: disable[RL001] -- x", "this is no suppression that redislua reads"),
        ("-- redislua: ignore[RL001] because", "this is no suppression that redislua reads"),
    ],
)
def test_a_comment_that_cannot_be_honoured_says_why(comment, message):
    found = linter(BadSuppression()).file(f"{comment}\nreturn 1\n".encode(), "a.lua").diagnostics

    assert [one.message for one in found] == [message]


def test_a_missing_reason_is_one_finding_and_not_two():
    assert lint("local a = 'LOUD' -- redislua: ignore[RL001]\n") == [("RL902", 1)]


def test_a_file_ignore_below_the_first_statement_is_refused():
    source = "local a = 'LOUD'\n-- redislua: file-ignore[RL001] -- x\n"

    assert lint(source) == [("RL001", 1), ("RL902", 2)]


def test_a_file_ignore_stands_below_the_header_of_a_script():
    source = HEADER.replace("'INCR'", "'LOUD'")
    silenced = source.replace("\nlocal", "\n-- redislua: file-ignore[RL001] -- x\nlocal")

    assert [code for code, _ in lint(source)] == ["RL001"]
    assert lint(silenced) == []


def test_other_comments_are_left_alone():
    assert lint("-- see redislua: ignore[x]\n-- redislua is a tool\nreturn 1\n") == []


def test_in_a_file_that_does_not_compile_comments_are_heard_all_the_same():
    source = b"-- redislua: file-ignore[RL001] -- a template\nlocal x = <%= y %>\n"

    assert lint_source(source, settings=Settings(select=("RL001", "RL9"))) == []
