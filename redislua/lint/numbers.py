"""Numbers on their way into commands and replies."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.quotients import is_whole_quotient
from redislua.lint.reply_parts import command_behind
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Index, Name, Unary, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall, path_of
from redislua.syntax.values import Kind, Value

__all__ = ["EXACT", "fraction_in", "is_fractional", "is_number", "typed_arguments"]

EXACT = 1e14
"""From here on Lua's own text of a number has an exponent, and fewer digits."""

FRACTIONAL = ("math.log", "math.sqrt", "math.exp", "math.log10", "math.sin", "math.cos")
FLOATS = ("GEODIST", "HINCRBYFLOAT", "INCRBYFLOAT")
PASSING = ("math.max", "math.min", "math.abs", "tonumber")
DEEPEST = 10


def is_fractional(chunk: Chunk, expression: Expression) -> bool:
    """Whether a calculation shows that a number may have a fraction."""
    return fraction_in(chunk, expression, 0) is not None


def fraction_in(chunk: Chunk, expression: Expression, depth: int = 0) -> Expression | None:
    """The division, root or fractional constant that a number comes from; None if none.

    Looks through locals, sums, products, ``math.max`` and ``math.min``; not through what
    makes numbers whole.
    """
    node: Expression = bare(expression)
    value = chunk.value(node)
    if depth > DEEPEST or value.is_whole:
        return None
    if depth and _is_distance(chunk, node, value):
        return node
    if not value.can_be(Kind.NUMBER):
        return _distance_behind(chunk, node) if depth else None
    if isinstance(value.constant, float):
        return None if value.constant.is_integer() else node
    match node:
        case Binary(operator="/"):
            return None if is_whole_quotient(chunk, node) else node
        case Binary(operator="*" | "^") if _is_fraction(chunk, node.left, node.right):
            return node
        case Binary(operator="+" | "-" | "*" | "%" | "^" | "or" | "and"):
            return fraction_in(chunk, node.left, depth + 1) or fraction_in(
                chunk, node.right, depth + 1
            )
        case Unary(operator="-"):
            return fraction_in(chunk, node.operand, depth + 1)
        case Call() if path_of(node.callee) in FRACTIONAL:
            return node
        case Call() if path_of(node.callee) in PASSING:
            found = (fraction_in(chunk, one, depth + 1) for one in node.arguments)
            return next((one for one in found if one is not None), None)
        case Name() if node.variable is not None:
            for definition in reaching(node):
                if definition.value is not None and definition.index == 0:
                    found_in = fraction_in(chunk, definition.value, depth + 1)
                    if found_in is not None:
                        return found_in
    return None


def _is_distance(chunk: Chunk, node: Expression, value: Value) -> bool:
    """Whether it is a distance, or a sum of floats, as the server writes it."""
    if isinstance(node, Call):
        return value.reply is not None and value.reply.name in FLOATS
    if not isinstance(node, Index) or chunk.value(node.key).constant != 2:
        return False
    command = command_behind(chunk, node)
    is_row = command is not None and bare(node.base) is not command.node
    return is_row and command is not None and command.has_word("WITHDIST")


def _distance_behind(chunk: Chunk, node: Expression) -> Expression | None:
    """The distance that a local is, which the server sends as text."""
    value = node.variable.only_value() if isinstance(node, Name) and node.variable else None
    only = bare(value)
    is_one = only is not None and _is_distance(chunk, only, chunk.value(only))
    return only if is_one else None


def _is_fraction(chunk: Chunk, left: Expression, right: Expression) -> bool:
    """Whether one factor is a constant like 1.5, and the product no known constant."""
    return any(
        isinstance(constant := chunk.value(one).constant, float) and not constant.is_integer()
        for one in (left, right)
    )


def typed_arguments(command: CommandCall) -> Iterator[tuple[Expression, str]]:
    """The arguments of a command with their types, where the table tells."""
    if command.row is None:
        return
    types = command.row.argument_types(command.words(), is_open=command.is_open)
    for argument, kind in zip(command.arguments, types, strict=False):
        if kind is not None:
            yield argument, kind


def is_number(value: Value) -> bool:
    """Whether a value is a number in every run, missing ones left out."""
    return value.can_be(Kind.NUMBER) and value.is_only(Kind.NUMBER | Kind.FALSY)
