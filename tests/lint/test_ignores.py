"""Baselines: a comment for each finding, where a comment can stand."""

from __future__ import annotations

import pytest

from redislua.lint.engine import Summary
from redislua.lint.ignores import Ignores
from redislua.lint.rules.unused_suppression import UnusedSuppression
from tests.lint.samples import HEADER, Shouting, linter

RULES = (Shouting(), UnusedSuppression())


def add(path, source: str) -> tuple[str, Summary]:
    """Write a script, silence it, check that nothing is left and that a second time is idle."""
    path.write_bytes(source.encode())
    chosen, summary = linter(*RULES), Summary()
    found = chosen.file(source.encode(), str(path)).diagnostics
    Ignores("old")(chosen, str(path), source.encode(), found, summary)
    text = path.read_bytes()
    assert chosen.file(text, str(path)).diagnostics == []
    return text.decode(), summary


def test_a_comment_stands_above_the_line_as_far_to_the_right(tmp_path):
    text, summary = add(tmp_path / "a.lua", "if x then\n\treturn 'LOUD'\nend\n")

    assert text == "if x then\n\t-- redislua: ignore[RL001] -- old\n\treturn 'LOUD'\nend\n"
    assert summary.silenced == 1


def test_several_findings_on_one_line_are_one_comment(tmp_path):
    text, summary = add(tmp_path / "a.lua", "return 'LOUD', 'NOISE'\n")

    assert text == "-- redislua: ignore[RL001] -- old\nreturn 'LOUD', 'NOISE'\n"
    assert summary.silenced == 2


def test_a_line_that_begins_within_a_text_has_its_comment_behind_it(tmp_path):
    text, _ = add(tmp_path / "a.lua", "local t = [[\nx]] .. 'LOUD'\nreturn t\n")

    assert text.splitlines()[1] == "x]] .. 'LOUD' -- redislua: ignore[RL001] -- old"


def test_what_is_found_in_a_shebang_is_silenced_for_the_file(tmp_path):
    text, _ = add(tmp_path / "a.lua", "#!lua LOUD\nreturn 1\n")

    assert text == "#!lua LOUD\n-- redislua: file-ignore[RL001] -- old\nreturn 1\n"


def test_a_header_stays_as_it_is(tmp_path):
    source = HEADER.replace("Count a visit", "Count a LOUD visit")

    text, _ = add(tmp_path / "count.v1.lua", source)

    expected = "-- count page=home -> 1\n".replace("-- ", "--   ") + (
        "-- redislua: file-ignore[RL001] -- old\n"
    )
    assert expected in text


def test_where_no_comment_can_stand_the_file_is_left_alone(tmp_path):
    path = tmp_path / "a.lua"
    source = b"return [[\nLOUD\n]]\n"
    path.write_bytes(source)
    chosen, summary = linter(*RULES), Summary()
    found = chosen.file(source, str(path)).diagnostics

    Ignores("old")(chosen, str(path), source, found, summary)

    assert path.read_bytes() == source
    assert summary.silenced == 0


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_comment_ends_its_line_as_the_file_does(tmp_path, newline):
    text, _ = add(tmp_path / "a.lua", f"local a = 1{newline}return 'LOUD'{newline}")

    assert text == newline.join(
        ["local a = 1", "-- redislua: ignore[RL001] -- old", "return 'LOUD'", ""]
    )
