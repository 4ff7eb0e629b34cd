"""Seeded defects: each changes a script, and only as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from redislua.lint.diagnostic import Diagnostic, Severity
from redislua.spec.registry import load
from redislua.syntax.verdict import verdict
from tools.bench.mutations import KINDS
from tools.bench.mutations.run import Outcome, reports, total

SCRIPTS = load(Path(__file__).parents[2] / "scripts").scripts
BY_NAME = {kind.name: kind for kind in KINDS}


def diagnostic(code: str, message: str) -> Diagnostic:
    """Return what a rule of that code would have found."""
    return Diagnostic(
        code=code,
        rule="some-rule",
        severity=Severity.ERROR,
        message=message,
        help="",
        file="a.lua",
        line=1,
        column=1,
        end_line=1,
        end_column=2,
        text="x",
        caret=1,
    )


def test_there_are_many_kinds_and_no_two_of_one_name():
    assert len(BY_NAME) == len(KINDS) >= 35
    assert all(kind.codes for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_defect_applies_somewhere_and_changes_the_script(kind):
    seeded = {script.file: (script, kind.seed(script)) for script in SCRIPTS}
    applied = [(script, text) for script, text in seeded.values() if text is not None]

    assert applied
    for script, text in applied:
        assert text != script.source
        assert (verdict(text) is not None) == kind.is_syntax, (script.file, verdict(text))


def test_a_defect_is_reported_only_by_what_was_not_found_before():
    kind = BY_NAME["global write"]
    known, new = diagnostic("RL010", "a is global"), diagnostic("RL010", "b is global")

    assert reports(kind, [known], [known, new])
    assert not reports(kind, [known], [known])
    assert not reports(kind, [], [diagnostic("RL011", "b is not known")])


def test_the_total_counts_scripts_and_not_kinds():
    seen = Outcome(KINDS[0], ("a", "b", "c"), ())
    missed = Outcome(KINDS[1], (), ("a",))

    assert total([seen, missed]) == 0.75
    assert total([]) == 0
