"""Which readings of the server's clock a value is made of."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Break,
    Call,
    Expression,
    If,
    Index,
    Name,
    Node,
    Repeat,
    Return,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import reaching

__all__ = ["Readings", "is_read_again", "readings", "waiting_loop"]

Readings = frozenset[Call]
"""Calls that read the clock: of ``TIME``, or of an own function that gives it."""

_NONE: Readings = frozenset()
_PASSING = ("tonumber", "tostring", "unpack", "math.floor", "math.ceil", "string.format")


def is_read_again(chunk: Chunk) -> bool:
    """Whether a run may read the clock more than once."""
    places = [command.node for command in chunk.commands if command.name == "TIME"]
    if len(places) != 1:
        return bool(places)
    variable = chunk.function_around(places[0]).variable
    return (variable is not None and len(variable.reads) > 1) or bool(chunk.loops_around(places[0]))


def readings(chunk: Chunk, expression: Expression) -> Readings:
    """The readings that a value is made of; none where it is not made of the clock alone."""
    return _readings(chunk, expression, ())


def _readings(chunk: Chunk, expression: Expression, within: tuple[object, ...]) -> Readings:
    node = bare(expression)
    if node in within or len(within) > 20:
        return _NONE
    within = (*within, node)
    if isinstance(node, Call):
        return _of_call(chunk, node, within)
    if isinstance(node, Index):
        return _readings(chunk, node.base, within)
    if isinstance(node, Name):
        values = [one.value for one in reaching(node) if one.value is not None]
        return _all(chunk, values, within)
    if isinstance(node, Binary):
        return _all(chunk, [node.left, node.right], within)
    if isinstance(node, Unary):
        return _readings(chunk, node.operand, within)
    return _NONE


def _of_call(chunk: Chunk, call: Call, within: tuple[object, ...]) -> Readings:
    command = chunk.command_of(call)
    if command is not None:
        return frozenset({call}) if command.name == "TIME" else _NONE
    if chunk.means(call.callee) in _PASSING:
        return _all(chunk, call.arguments, within)
    function = chunk.function_called(call)
    if function is None or function in within:
        return _NONE
    given = [one.values[0] for one in function.returns if one.values]
    # What it reads, it reads anew at each call.
    return frozenset({call}) if _all(chunk, given, (*within, function)) else _NONE


def _all(chunk: Chunk, expressions: list[Expression], within: tuple[object, ...]) -> Readings:
    return frozenset().union(*(_readings(chunk, one, within) for one in expressions))


def waiting_loop(node: Binary, read: Readings) -> Node | None:
    """The loop that a comparison ends and that reads the clock anew each time, or None."""
    if node.operator == "-":
        return None
    inner: Node = node
    ends = False
    for outer in node.parents():
        if isinstance(outer, If):
            ends = ends or any(
                condition is inner
                and block.statements
                and isinstance(block.statements[-1], Break | Return)
                for condition, block in outer.arms
            )
        if isinstance(outer, While | Repeat):
            ends = ends or outer.condition is inner
            if ends and any(outer.start <= one.start < outer.end for one in read):
                return outer
        inner = outer
    return None
