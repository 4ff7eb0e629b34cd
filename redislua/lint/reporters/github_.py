"""Workflow commands of GitHub Actions: annotations in the diff of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Diagnostic, Severity

__all__ = ["lines"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def lines(diagnostic: Diagnostic) -> Iterator[str]:
    """``::error file=a.lua,line=3,…::message``."""
    properties = {
        "title": f"{diagnostic.code} {diagnostic.rule}",
        "file": diagnostic.file,
        "line": str(diagnostic.line),
        "endLine": str(diagnostic.end_line),
        "col": str(diagnostic.column),
        "endColumn": str(diagnostic.end_column),
    }
    if diagnostic.end_line != diagnostic.line:  # columns are for one line alone there
        del properties["col"], properties["endColumn"]
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = diagnostic.message
    if diagnostic.help:
        text += f"\nhelp: {diagnostic.help}"
    yield f"::{_COMMANDS[diagnostic.severity]} {told}::{_text(text)}"


def _text(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")
