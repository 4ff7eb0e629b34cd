"""Numbers as the page writes them, each with its exact value beside it."""

from __future__ import annotations

from dataclasses import dataclass

_GAP = "\u202f"  # narrow, and lines do not break at it


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        value: As it stands in the JSON.
        text: As it is read.
    """

    value: str
    text: str


def count(value: int | None) -> Figure | None:
    """``12 345``."""
    return None if value is None else Figure(str(value), grouped(value))


def exact(microseconds: float) -> Figure:
    """Microseconds, as exact as they are known: ``12 345`` or ``47.5``."""
    whole, _, rest = str(microseconds).partition(".")
    return Figure(str(microseconds), grouped(int(whole)) + (f".{rest}" if rest else ""))


def milli(microseconds: float) -> Figure:
    """Microseconds as milliseconds with three digits after the point, without the unit."""
    return Figure(str(microseconds), f"{microseconds / 1_000:.3f}")


def grouped(value: int) -> str:
    """Thousands set apart."""
    return f"{value:,}".replace(",", _GAP)


def duration(microseconds: int) -> str:
    """What is written at an axis: ``10 µs``, ``1 ms``, ``1.5 ms``."""
    if microseconds >= 1_000:
        return f"{microseconds / 1_000:g}{_GAP}ms"
    return f"{microseconds}{_GAP}µs"
