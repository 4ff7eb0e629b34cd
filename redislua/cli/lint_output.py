"""Where findings go: printed as they come, or one document at the end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import click

from redislua.lint.diagnostic import Diagnostic, Severity
from redislua.lint.engine import Summary
from redislua.lint.reporters import STREAMING, Report, module

__all__ = ["Output", "paint", "report_troubles", "sentence"]

PATIENCE_S = 0.5
"""Seconds a person waits before the count of files is shown."""
BETWEEN_S = 0.1


class Output:
    """Shows diagnostics in one form, on stdout or in a file."""

    def __init__(self, form: str, file: Path | None, *, beside: bool = False) -> None:
        """Choose a form.

        Args:
            form: One of `redislua.lint.reporters.FORMATS`.
            file: Where to write; None for stdout.
            beside: Write to stderr, because stdout has another text.
        """
        self._beside = beside
        self._form = form
        self._file = file
        self._found: dict[str, list[Diagnostic]] = {}
        self._kept: list[str] = []
        self._is_full = form == "full" and file is None
        self._console = _terminal() if self._is_full and not beside else None
        self._counter = _Counter()

    def show(self, path: str, diagnostics: list[Diagnostic]) -> None:
        """Take what was found in a file; print it if the form allows."""
        if self._form not in STREAMING:
            self._found.setdefault(path, []).extend(diagnostics)
        elif diagnostics:
            self._counter.hide()
            if self._console is not None:
                paint(self._console, diagnostics)
            else:
                self._write(diagnostics)
        self._counter.count(path)

    def _write(self, diagnostics: list[Diagnostic]) -> None:
        form = module(self._form)
        lines = [line for one in diagnostics for line in form.lines(one)]
        text = "\n".join((*lines, ""))
        if self._file is not None:
            self._kept.append(text)
        else:
            click.echo(_printable(text), nl=False, err=self._beside)

    def close(self, summary: Summary) -> None:
        """Write what is written at the end."""
        self._counter.hide()
        text = "".join(self._kept)
        if self._form not in STREAMING:
            text = module(self._form).document(Report(self._found, tuple(summary.troubles)))
        if self._file is not None:
            self._file.write_text(text, encoding="utf-8", errors="replace")
        elif text:
            click.echo(_printable(text), nl=False, err=self._beside)


def _terminal() -> Any:
    """The console of a terminal, or None where nobody looks."""
    if not (_is_terminal(sys.stdout) or os.environ.get("FORCE_COLOR")):
        return None
    from redislua.cli.console import stdout  # rich: only a terminal pays for it

    return stdout()


def paint(console: Any, diagnostics: list[Diagnostic]) -> None:
    """Print diagnostics in full, in colours where the console has any."""
    from rich.text import Text

    for one in diagnostics:
        for pieces in module("full").pieces(one):
            console.print(Text.assemble(*pieces))


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks; None was closed by whoever started us."""
    return stream is not None and stream.isatty()


def _printable(text: str) -> str:
    """A text that stdout's encoding can hold."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


class _Counter:
    """How many files are done, on stderr, for a person who waits."""

    def __init__(self) -> None:
        self._is_shown = False
        self._is_wanted = _is_terminal(sys.stderr)
        self._count = 0
        self._next = time.monotonic() + PATIENCE_S

    def count(self, path: str) -> None:
        """One more file is done."""
        self._count += 1
        if self._is_wanted and time.monotonic() >= self._next:
            self._next = time.monotonic() + BETWEEN_S
            sys.stderr.write(f"\r\x1b[K{self._count} files: {path[-60:]}")
            sys.stderr.flush()
            self._is_shown = True

    def hide(self) -> None:
        """Leave the line to whatever is printed next."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_shown = False


def report_troubles(summary: Summary) -> None:
    """One line on stderr for each thing that could not be linted."""
    for trouble in summary.troubles:
        click.echo(f"error: {trouble.path}: {trouble.reason}", err=True)


def sentence(summary: Summary) -> str:
    """``3 errors, 2 warnings in 12 files; 4 can be fixed with --fix``."""
    files = _counted(len(summary.files), "file")
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = [
        _counted(summary.counts[severity], name)
        for severity, name in names.items()
        if summary.counts[severity]
    ]
    text = f"{', '.join(parts)} in {files}" if parts else f"{files}: nothing found"
    if summary.fixed:
        text += f"; {summary.fixed} fixed"
    if summary.silenced:
        text += f"; {summary.silenced} silenced"
    if summary.fixable:
        text += f"; {summary.fixable} can be fixed with --fix"
    if summary.troubles:
        text += f"; {len(summary.troubles)} could not be looked at"
    return text


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
