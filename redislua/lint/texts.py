"""Numbers that are still text."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Binary, Expression, Name, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.values import Kind, Origin, Value

__all__ = ["are_numbers_as_text", "is_text", "is_text_or_default"]

TEXT = Kind.STRING | Kind.FALSY
FROM_OUTSIDE = Origin.ARGV | Origin.STORED | Origin.TIME


def is_text(value: Value) -> bool:
    """Whether a value is text in every run in which it is there."""
    return value.can_be(Kind.STRING) and value.is_only(TEXT)


def is_text_or_default(chunk: Chunk, node: Expression) -> bool:
    """Whether it is ``text or 0``: text as soon as there is any."""
    inner = bare(node)
    if isinstance(inner, Name) and inner.variable is not None:
        definitions = reaching(inner)
        inner = bare(definitions[0].value) if len(definitions) == 1 else inner
    return (
        isinstance(inner, Binary)
        and inner.operator == "or"
        and is_text(chunk.value(inner.left))
        and bool(chunk.value(inner.left).origin & FROM_OUTSIDE)
    )


def are_numbers_as_text(left: Value, right: Value) -> bool:
    """Whether both come from outside and neither is text for certain."""
    return all(
        value.origin and not value.origin & ~FROM_OUTSIDE and value.constant is None
        for value in (left, right)
    ) or any(
        isinstance(one.constant, bytes)
        and number_of(one.constant) is not None
        and not other.origin & ~FROM_OUTSIDE
        for one, other in ((left, right), (right, left))
    )
