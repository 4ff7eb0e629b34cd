"""Numbers that a script writes down, as text or not."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Expression

__all__ = ["number_given"]


def number_given(chunk: Chunk, expression: Expression) -> float | None:
    """The number that an argument always is; None if it is none, or not known."""
    constant = chunk.value(expression).constant
    return number_of(constant) if isinstance(constant, bytes) else constant
