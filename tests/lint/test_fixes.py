"""Fixes: whole, safe, and done when they say so."""

from __future__ import annotations

import pytest

from redislua.lint.diagnostic import Diagnostic, Edit, Finding, Fix, Severity
from redislua.lint.engine import Linter, Summary, lint_paths
from redislua.lint.fixes import apply, fix_file, fix_source
from redislua.lint.rule import Rule
from redislua.lint.settings import Settings
from tests.lint.samples import Shouting, linter


class Replacing(Rule):
    """Replaces one word by another, wherever it stands."""

    code = "RL001"
    name = "syntax-error"
    severity = Severity.WARNING
    fixable = True

    def __init__(self, old: bytes, new: bytes) -> None:
        self.old, self.new = old, new

    def check(self, chunk):
        start = chunk.source.find(self.old)
        if start >= 0:
            end = start + len(self.old)
            yield Finding(start, end, "m", fix=Fix("f", (Edit(start, end, self.new),)))


def fix(source: bytes, *rules: Rule):
    chosen = linter(*rules)

    def lint(text: bytes):
        file = chosen.file(text, "a.lua")
        return file.diagnostics, not file.chunk.problems

    return fix_source(source, lint(source)[0], lint)


def fix_path(path, *rules: Rule) -> tuple[bytes, Summary]:
    chosen, summary = linter(*rules), Summary()
    source = path.read_bytes()
    found = chosen.file(source, str(path)).diagnostics
    return fix_file(chosen, str(path), source, found, summary), summary


def test_all_fixes_are_applied_and_a_second_time_nothing_changes():
    fixed = fix(b"return 'LOUD', 'NOISE', 'LOUD'\n", Shouting())

    assert (fixed.source, fixed.count) == (b"return 'loud', 'noise', 'loud'\n", 3)
    assert fix(fixed.source, Shouting()) == type(fixed)(fixed.source, 0)


def test_a_fix_that_makes_room_for_another_is_followed_by_it():
    fixed = fix(b"return 'aaaa'\n", Replacing(b"aa", b"b"), Replacing(b"bb", b"c"))

    assert (fixed.source, fixed.count) == (b"return 'c'\n", 3)


def test_of_fixes_that_overlap_the_later_waits_for_the_next_round():
    fixed = fix(b"return 'abc'\n", Replacing(b"ab", b"x"), Replacing(b"bc", b"y"))

    assert (fixed.source, fixed.count) == (b"return 'xc'\n", 1)


def test_two_edits_of_one_fix_are_applied_both_or_not_at_all():
    source = b"0123456789"

    def found(*edits: Edit):
        finding = Finding(edits[0].start, edits[0].end, "m", fix=Fix("f", edits))

        class Both(Rule):
            code, name, severity = "RL001", "syntax-error", Severity.WARNING

            def check(self, chunk):
                yield from [finding] * len(chunk.problems)

        file = linter(Both()).file(b"return 0", "a.lua")
        return file._kept(Both(), [finding])[0]

    first = found(Edit(0, 2, b"a"), Edit(8, 9, b"b"))
    second = found(Edit(4, 5, b"c"), Edit(8, 10, b"d"))

    assert apply(source, [first, second]) == (b"a234567b9", [first])
    assert apply(source, [second]) == (b"0123c567d", [second])


def test_two_findings_with_the_same_fix_are_both_fixed_by_it():
    rule = Replacing(b"ab", b"x")
    (found,) = linter(rule).file(b"return 'ab'", "a.lua").diagnostics

    changed, applied = apply(b"return 'ab'", [found, found])

    assert (changed, len(applied)) == (b"return 'x'", 2)


def test_a_fix_that_would_break_the_script_is_not_applied():
    fixed = fix(b"return 'LOUD'\n", Replacing(b"'LOUD'", b"'"))

    assert (fixed.source, fixed.count) == (b"return 'LOUD'\n", 0)
    assert fixed.refused == "a fix of RL001 would break the script: not applied"


def test_fixes_that_undo_one_another_end():
    fixed = fix(b"return 'ping'\n", Replacing(b"ping", b"pong"), Replacing(b"pong", b"ping"))

    assert "undo one another" in fixed.refused


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a.lua"
    path.write_bytes(b"return 'LOUD'\n")
    path.chmod(0o751)

    changed, summary = fix_path(path, Shouting())

    assert path.read_bytes() == changed == b"return 'loud'\n"
    assert path.stat().st_mode & 0o777 == 0o751
    assert [summary.fixed, summary.troubles] == [1, []]
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.lua").write_bytes(b"return 'LOUD'\n")
    (tmp_path / "a.lua").symlink_to("real.lua")

    fix_path(tmp_path / "a.lua", Shouting())

    assert (tmp_path / "a.lua").is_symlink()
    assert (tmp_path / "real.lua").read_bytes() == b"return 'loud'\n"


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "a.lua"
    path.write_bytes(b"return 'LOUD'\n")
    chosen, summary = linter(Shouting()), Summary()
    found = chosen.file(path.read_bytes(), str(path)).diagnostics
    path.write_bytes(b"return 'LOUD', 2\n")

    fix_file(chosen, str(path), b"return 'LOUD'\n", found, summary)

    assert path.read_bytes() == b"return 'LOUD', 2\n"
    assert "changed meanwhile" in summary.troubles[0].reason


def test_what_is_reported_is_what_is_left(monkeypatch, tmp_path):
    (tmp_path / "a.lua").write_bytes(b"return 'LOUD'\n")
    monkeypatch.setattr(Linter, "rules", (Shouting(),))
    found = []

    summary = lint_paths(
        [str(tmp_path)], Settings(), lambda _, some: found.extend(some), change=fix_file
    )

    assert (found, summary.total, summary.fixed) == ([], 0, 1)


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ((0, 2), (1, 3), True),
        ((0, 2), (2, 4), False),
        ((0, 4), (1, 2), True),
        ((0, 4), (2, 2), True),  # an insertion within what the other replaces
        ((2, 2), (2, 2), True),  # which one would come first?
        ((2, 2), (2, 4), True),
        ((0, 2), (2, 2), False),
        ((0, 2), (4, 6), False),
    ],
)
def test_edits_that_touch_the_same_bytes_are_not_applied_together(one, other, clash):
    source = b"return '01234567'"
    first = _fixed_by(Edit(one[0], one[1], b"x"))
    second = _fixed_by(Edit(other[0], other[1], b"y"))

    for pair in ([first, second], [second, first]):
        assert len(apply(source, pair)[1]) == (1 if clash else 2)


def _fixed_by(edit: Edit) -> Diagnostic:
    level, fix = Severity.INFO, Fix("f", (edit,))
    return Diagnostic("RL001", "syntax-error", level, "m", "", "a.lua", 1, 1, 1, 1, "", 0, fix)
