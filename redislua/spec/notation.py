"""Examples as written: the values that `redislua.spec.example` reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in its file: line and column from 1, width in characters."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Word:
    """A bare or quoted word of an example."""

    text: str
    quoted: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes of an example: ``b'\\x00'``."""

    value: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of an earlier line's reply: ``$1.fence``."""

    line: int
    field: str
    position: Position


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a group: ``(a, 1)``."""

    items: tuple[Word | Blob | Reference, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Items:
    """Several values or rows: ``[a b]``, ``[(a, 1) (b, 2)]``."""

    items: tuple[Word | Blob | Reference | Row, ...]
    position: Position


Notation: TypeAlias = Word | Blob | Reference | Items


@dataclass(frozen=True, slots=True)
class Argument:
    """``name=value`` as written."""

    name: str
    value: Notation
    position: Position


Operator: TypeAlias = Literal["=", "<=", ">="]


@dataclass(frozen=True, slots=True)
class Condition:
    """``field=value`` as written; the field is ``""`` for a reply that is one bare value."""

    field: str
    operator: Operator
    value: Notation
    position: Position


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a line of an example must answer.

    Attributes:
        variant: Name of the variant, or ``""`` for a bare reply.
        error: Name of the declared error, or ``""``.
        conditions: What is checked of the reply's fields.
        position: Where it stands.
    """

    variant: str
    error: str
    conditions: tuple[Condition, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class ExampleCall:
    """One call of an example.

    Attributes:
        script: ``name`` of the same family's script, or ``family.name``.
        arguments: In the order written.
        expectation: What must come back.
        text: The line as written, without the comment marks.
        position: Where the script's name stands.
    """

    script: str
    arguments: tuple[Argument, ...]
    expectation: Expectation
    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class ExampleWait:
    """``wait 20ms``."""

    microseconds: int
    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class Example:
    """Lines that run in order on an empty database."""

    title: str
    lines: tuple[ExampleCall | ExampleWait, ...]
    position: Position
