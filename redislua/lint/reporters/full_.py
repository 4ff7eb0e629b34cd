"""A paragraph for each diagnostic: place, rule, source line, caret, what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Diagnostic, Severity

__all__ = ["COLOURS", "lines", "pieces"]

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}

Piece = tuple[str, str]
"""A text and its style in rich's words, or ``""``."""


def lines(diagnostic: Diagnostic) -> Iterator[str]:
    """The paragraph as plain lines."""
    for line in pieces(diagnostic):
        yield "".join([text for text, _ in line])


def pieces(diagnostic: Diagnostic) -> Iterator[list[Piece]]:
    """The paragraph line by line, with styles for a terminal."""
    colour = COLOURS[diagnostic.severity]
    yield [
        (f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column}", "bold"),
        (": ", ""),
        (f"{diagnostic.severity}[{diagnostic.code}]", f"bold {colour}"),
        (f" {diagnostic.rule}: {diagnostic.message}", ""),
    ]
    if diagnostic.text:
        number = str(diagnostic.line)
        pad = " " * min(diagnostic.caret, len(diagnostic.text))
        if "\t" in diagnostic.text:
            before = diagnostic.text[: diagnostic.caret]
            pad = "".join("\t" if char == "\t" else " " for char in before)
        yield [(f"  {number} | ", "dim"), (diagnostic.text, "")]
        yield [
            (f"  {' ' * len(number)} | ", "dim"),
            (pad + "^" * diagnostic.underlined, colour),
        ]
    if diagnostic.help:
        yield [("  help: ", "bold"), (diagnostic.help, "")]
    if diagnostic.fix is not None:
        yield [("  fix: ", "bold"), (f"{diagnostic.fix.message} (--fix)", "")]
    yield []
