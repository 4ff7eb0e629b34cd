"""What keeps a text from being a script, with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Kind", "SyntaxProblem", "problem_at"]

Kind: TypeAlias = Literal["syntax", "dialect", "file"]


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """One reason why a server refuses a text, or reads it as something else than is written.

    Attributes:
        message: The server's own words; ours where the syntax is another language's.
        line: Line in the file, from 1; lines end at LF.
        column: Column in that line, in characters, from 1.
        width: How many characters are meant, at least 1; never beyond the line's end.
        kind: ``syntax``: Lua 5.1 cannot read it. ``dialect``: it is Lua 5.2 or newer, or
            another language. ``file``: the file is no script at all, or the template of one.
    """

    message: str
    line: int
    column: int
    width: int
    kind: Kind


def problem_at(source: bytes, start: int, end: int, message: str, kind: Kind) -> SyntaxProblem:
    """Make the problem of the bytes from ``start`` up to ``end``."""
    begins = source.rfind(b"\n", 0, start) + 1
    ends = source.find(b"\n", start)
    ends = len(source) if ends < 0 else ends
    column = len(source[begins:start].decode("utf-8", "replace")) + 1
    width = len(source[start : min(end, ends)].rstrip(b"\r").decode("utf-8", "replace"))
    return SyntaxProblem(message, source.count(b"\n", 0, start) + 1, column, max(1, width), kind)
