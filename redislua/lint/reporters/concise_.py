"""One line for each diagnostic, as compilers print it."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Diagnostic

__all__ = ["lines"]


def lines(diagnostic: Diagnostic) -> Iterator[str]:
    """``file:3:5: RL201 error: message``, and ``[*]`` where there is a fix."""
    place = f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column}"
    fixable = " [*]" if diagnostic.fix is not None else ""
    yield f"{place}: {diagnostic.code} {diagnostic.severity}: {diagnostic.message}{fixable}"
