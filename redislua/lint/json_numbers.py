"""Fields of decoded objects that the script itself treats as numbers."""

from __future__ import annotations

from redislua.lint.json_values import is_decoded_part
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Assign, Binary, Expression, Index, String, bare
from redislua.syntax.values import Kind

__all__ = ["is_number_field"]

ARITHMETIC = ("+", "-", "*", "/", "%", "^")


def is_number_field(chunk: Chunk, expression: Expression) -> bool:
    """Whether it is a field of decoded JSON with which the script calculates as it is.

    What was text would be given to `tonumber`, or compared with text only. None where any
    assignment may put text there.
    """
    node = bare(expression)
    if not isinstance(node, Index) or not isinstance(bare(node.key), String):
        return False
    if not is_decoded_part(chunk, node):
        return False
    text = chunk.text(node)
    is_used = False
    for other in chunk.of(Index):
        if chunk.text(other) != text:
            continue
        if other.is_written:
            if not _is_given_a_number(chunk, other):
                return False
        elif _is_made_text_or_number(other):
            return False
        else:
            is_used = is_used or _is_calculated_with(other)
    return is_used


def _is_given_a_number(chunk: Chunk, target: Index) -> bool:
    statement = target.parent
    if not isinstance(statement, Assign) or len(statement.targets) != len(statement.values):
        return False
    value = chunk.value(statement.values[statement.targets.index(target)])
    return value.is_only(Kind.NUMBER)


def _is_made_text_or_number(index: Index) -> bool:
    """Whether the script asks what type it is, or makes one of it: then it may be any."""
    path = getattr(index.parent, "path", None)
    return path in ("tonumber", "type", "tostring")


def _is_calculated_with(index: Index) -> bool:
    outer = index.parent
    return isinstance(outer, Binary) and outer.operator in ARITHMETIC
