"""What the linter says: a `Finding` of a rule, and the `Diagnostic` that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, dataclass_transform

__all__ = ["Diagnostic", "Edit", "Finding", "Fix", "Region", "Severity"]


T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _constant(kind: type[T]) -> type[T]:
    """A class that a type checker keeps from changes: a frozen one is three times as slow."""
    return dataclass(slots=True, unsafe_hash=True)(kind)


class Severity(StrEnum):
    """How sure and how bad: an error fails or gives a wrong result, a warning may."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@_constant
class Edit:
    """Bytes of the file that are replaced.

    Attributes:
        start: Offset of the first byte.
        end: Offset behind the last byte; equal to ``start`` for an insertion.
        text: What stands there afterwards.
    """

    start: int
    end: int
    text: bytes


@_constant
class Fix:
    """A change that keeps what the script does but for the mistake.

    Attributes:
        message: What applying it does, as an order: ``Remove the comment``.
        edits: All of them or none; they do not overlap.
    """

    message: str
    edits: tuple[Edit, ...]


@_constant
class Finding:
    """What a rule yields; the engine adds the file, the line and the rule.

    Attributes:
        start: Offset of the first byte that is meant.
        end: Offset behind the last one.
        message: What is wrong here, in one sentence without a full stop.
        help: What to do instead, or ``""``.
        fix: A safe change that does it, or None.
        severity: Where this one is not as bad as the rule says, else None.
    """

    start: int
    end: int
    message: str
    help: str = ""
    fix: Fix | None = None
    severity: Severity | None = None


@_constant
class Region:
    """Lines and columns from 1; columns count characters; the end is behind the last one."""

    line: int
    column: int
    end_line: int
    end_column: int


@_constant
class Diagnostic:
    """One finding, as it is shown.

    Attributes:
        code: ``RL201``.
        rule: ``undeclared-key``.
        severity: Of this finding.
        message: What is wrong.
        help: What to do instead, or ``""``.
        file: Path as the user gave it.
        line: From 1.
        column: In characters, from 1.
        end_line: Line of the last character.
        end_column: Column behind the last character.
        text: The source line; of a very long one the part around the finding.
        caret: Where in ``text`` the finding begins, from 0.
        fix: A safe change, or None.
        fix_regions: Where the fix's edits are, one for each.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    help: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    caret: int
    fix: Fix | None = None
    fix_regions: tuple[Region, ...] = ()

    @property
    def region(self) -> Region:
        """Where it is."""
        return Region(self.line, self.column, self.end_line, self.end_column)

    @property
    def underlined(self) -> int:
        """How many characters of ``text`` are meant, at least 1."""
        room = max(1, len(self.text) - self.caret)
        if self.end_line > self.line:
            return room
        return max(1, min(room, self.end_column - self.column))

    def to_row(self) -> list[Any]:
        """As values that JSON has, for the cache."""
        fix = None
        if self.fix is not None:
            edits = [[edit.start, edit.end, _to_text(edit.text)] for edit in self.fix.edits]
            regions = [[r.line, r.column, r.end_line, r.end_column] for r in self.fix_regions]
            fix = [self.fix.message, edits, regions]
        return [
            self.code,
            self.rule,
            self.severity.value,
            self.message,
            self.help,
            self.file,
            self.line,
            self.column,
            self.end_line,
            self.end_column,
            self.text,
            self.caret,
            fix,
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> Diagnostic:
        """What `to_row` was made of."""
        fix: Fix | None = None
        regions: tuple[Region, ...] = ()
        *place, kept = row
        if kept is not None:
            message, edits, places = kept
            fix = Fix(message, tuple(Edit(edit[0], edit[1], _to_bytes(edit[2])) for edit in edits))
            regions = tuple(Region(*numbers) for numbers in places)
        code, rule, severity, *rest = place
        return cls(*[code, rule, Severity(severity), *rest, fix, regions])


def _to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
