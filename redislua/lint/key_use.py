"""What the elements of KEYS are used for."""

from __future__ import annotations

from enum import IntEnum

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, If, Index, Local, Name, Parens, Unary
from redislua.syntax.sites import function_of, path_of
from redislua.syntax.variables import Variable

__all__ = ["Use", "is_given_away", "use_of"]

DEEPEST = 5
CHANNELS = ("PUBLISH", "SPUBLISH")


class Use(IntEnum):
    """What one place does with a value; of several places the greatest counts."""

    NEUTRAL = 0
    OTHER = 1
    KEY = 2


def is_given_away(chunk: Chunk, table: str) -> bool:
    """Whether KEYS as a whole is given to something, or looked through in a loop."""
    return any(name.id == table and not _is_looked_into(name, 0) for name in chunk.globals)


def _is_looked_into(name: Name, depth: int) -> bool:
    """Whether a name of KEYS is indexed, measured, or another name for it is all that it gets."""
    parent = name.parent
    if isinstance(parent, Unary):
        return True
    if isinstance(parent, Local) and depth < DEEPEST:
        index = parent.values.index(name)
        variable = parent.variables[index] if index < len(parent.variables) else None
        return variable is None or (
            len(variable.definitions) == 1
            and all(_is_looked_into(read, depth + 1) for read in variable.reads)
        )
    return isinstance(parent, Index) and parent.base is name


def use_of(chunk: Chunk, node: Expression) -> Use:
    """How a value is used: a key if in any way that is not understood."""
    return _use(chunk, node, 0)


def _use(chunk: Chunk, node: Expression, depth: int) -> Use:
    inner: Expression = node
    outer = node.parent
    while isinstance(outer, Parens):
        inner, outer = outer, outer.parent
    if depth > DEEPEST:
        return Use.KEY
    match outer:
        case Call() if inner is not outer.callee:
            return _passed(chunk, outer, inner, depth)
        case Local():
            index = outer.values.index(inner)
            if index >= len(outer.variables):
                return Use.NEUTRAL
            return _of_variable(chunk, outer.variables[index], depth)
        case Binary(operator="+" | "-" | "*" | "/" | "%" | "^" | "<" | "<=" | ">" | ">="):
            return Use.OTHER
        case Binary(operator="==" | "~="):
            return Use.NEUTRAL
        case Unary(operator="not") | If():
            return Use.NEUTRAL
    return Use.KEY


def _of_variable(chunk: Chunk, variable: Variable, depth: int) -> Use:
    if len(variable.definitions) != 1:
        return Use.KEY
    kinds = [_use(chunk, read, depth + 1) for read in variable.reads]
    return max(kinds, default=Use.NEUTRAL)


def _passed(chunk: Chunk, call: Call, argument: Expression, depth: int) -> Use:
    command = chunk.command_of(call)
    if command is not None:
        keys = command.key_positions()
        if keys is None or argument not in command.arguments or command.name in CHANNELS:
            return Use.KEY
        return Use.KEY if command.arguments.index(argument) in keys else Use.OTHER
    if path_of(call.callee) == "tonumber":
        return Use.OTHER
    function = function_of(call)
    if function is None or argument not in call.arguments or call.method is not None:
        return Use.KEY
    position = call.arguments.index(argument)
    if position >= len(function.parameters):
        return Use.KEY
    return _of_variable(chunk, function.parameters[position], depth)
