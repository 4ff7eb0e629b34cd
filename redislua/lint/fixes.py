"""Applies fixes until there is nothing left to fix, and writes a file whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from redislua.lint.diagnostic import Diagnostic, Edit
from redislua.lint.engine import Linter, Summary
from redislua.lint.files import Trouble, shown
from redislua.spec.whole import replace

__all__ = ["Fixed", "apply", "fix_file", "fix_source", "linting", "write"]

ROUNDS = 20
"""Two fixes that undo each other would go on for ever."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A source after fixing.

    Attributes:
        source: The bytes.
        count: Diagnostics that were fixed.
        refused: Why fixing ended early, or ``""``.
    """

    source: bytes
    count: int
    refused: str = ""


Lint = Callable[[bytes], tuple[list[Diagnostic], bool]]
"""What is found in a source, and whether it compiles."""


def linting(linter: Linter, path: str) -> Lint:
    """What fixing asks again and again of a file of this name."""

    def lint(source: bytes) -> tuple[list[Diagnostic], bool]:
        file = linter.file(source, path)
        return file.diagnostics, not file.chunk.problems

    return lint


def fix_source(source: bytes, diagnostics: Iterable[Diagnostic], lint: Lint) -> Fixed:
    """Apply fixes in rounds: of edits that overlap, the later waits for the next round.

    A round whose result does not compile is taken back.
    """
    count = 0
    _, compiled = lint(source)
    for _ in range(ROUNDS):
        changed, applied = apply(source, diagnostics)
        if not applied:
            return Fixed(source, count)
        diagnostics, compiles = lint(changed)
        if compiled and not compiles:
            codes = ", ".join(sorted({one.code for one in applied}))
            return Fixed(source, count, f"a fix of {codes} would break the script: not applied")
        source = changed
        count += len(applied)
    return Fixed(source, count, f"fixes undo one another: stopped after {ROUNDS} rounds")


def apply(source: bytes, diagnostics: Iterable[Diagnostic]) -> tuple[bytes, list[Diagnostic]]:
    """Apply all fixes that do not overlap, first come first served, each whole or not at all."""
    edits: list[Edit] = []
    applied: list[Diagnostic] = []
    for diagnostic in diagnostics:
        wanted = diagnostic.fix.edits if diagnostic.fix is not None else ()
        if wanted and set(wanted) <= set(edits):
            applied.append(diagnostic)  # another finding has the same fix
        elif wanted and not any(_overlap(new, old) for new in wanted for old in edits):
            edits += wanted
            applied.append(diagnostic)
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source, applied


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits touch the same bytes, or insert at the same place."""
    if one.start == other.start:
        return True
    return one.start < other.end and other.start < one.end


def fix_file(
    linter: Linter, path: str, source: bytes, diagnostics: list[Diagnostic], summary: Summary
) -> bytes:
    """Fix a file on disk and return its bytes: a `redislua.lint.engine.Change`."""
    if not any(diagnostic.fix for diagnostic in diagnostics):
        return source
    fixed = fix_source(source, diagnostics, linting(linter, path))
    if fixed.refused:
        summary.troubles.append(Trouble(shown(path), fixed.refused))
    if fixed.source == source:
        return source
    if not write(path, source, fixed.source, summary):
        return source
    summary.fixed += fixed.count
    return fixed.source


def write(path: str, old: bytes, new: bytes, summary: Summary) -> bool:
    """Replace a file that still holds the old bytes, keeping its mode; else note the trouble."""
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        if target.read_bytes() != old:
            summary.troubles.append(Trouble(shown(path), "changed meanwhile: not written"))
            return False
        mode = stat.S_IMODE(target.stat().st_mode)
        replace(target, new, mode)
    except OSError as error:
        summary.troubles.append(Trouble(shown(path), f"cannot be written: {error.strerror}"))
        return False
    return True
