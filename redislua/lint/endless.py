"""Loops that nothing ends once they have begun."""

from __future__ import annotations

from redislua.lint.leaving import is_broken
from redislua.syntax.chunk import Chunk
from redislua.syntax.loops import LOOKING
from redislua.syntax.nodes import (
    Assign,
    Binary,
    Call,
    Constant,
    Expression,
    Index,
    Name,
    Number,
    Repeat,
    String,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import function_around
from redislua.syntax.values import Kind

__all__ = ["is_endless"]

PURE = (
    "math.abs",
    "math.ceil",
    "math.floor",
    "math.max",
    "math.min",
    "string.len",
    "string.sub",
    "tonumber",
    "tostring",
    "type",
)
"""Functions that give the same for the same."""


def is_endless(chunk: Chunk, loop: While | Repeat) -> bool:
    """Whether a loop, once its condition lets it go on, goes on for ever.

    That is so where nothing leaves its body, and the body changes nothing that the condition
    is made of. Where the text does not tell, it is not.
    """
    if any(loop.start <= one.start < loop.end for one in chunk.returns):
        return False
    # An error ends a loop, wherever it comes from.
    if any(True for _ in chunk.calls_to("error", "assert")) or is_broken(loop.body):
        return False
    if chunk.bound(loop).by == "nothing":
        return True
    return chunk.bound(loop).by == "condition" and _is_fixed(chunk, loop.condition, loop)


def _is_fixed(chunk: Chunk, expression: Expression, loop: While | Repeat) -> bool:
    """Whether an expression has one value from the loop's first round on."""
    match node := bare(expression):
        case Constant() | Number() | String():
            return True
        case Unary():
            return _is_fixed(chunk, node.operand, loop)
        case Binary():
            return _is_fixed(chunk, node.left, loop) and _is_fixed(chunk, node.right, loop)
        case Index():
            return (
                isinstance(node.base, Name)
                and _is_kept(chunk, node.base, loop)
                and _is_fixed(chunk, node.key, loop)
            )
        case Call():
            return (
                node.path in PURE
                and node.method is None
                and all(_is_fixed(chunk, one, loop) for one in node.arguments)
            )
        case Name():
            return _is_kept(chunk, node, loop)
    return False


def _is_kept(chunk: Chunk, name: Name, loop: While | Repeat) -> bool:
    """Whether nothing in a loop gives a variable, or what it holds, another value."""
    variable = name.variable
    if variable is None:
        is_passed = chunk.value(name).symbol in ("KEYS", "ARGV")
        return is_passed and all(
            _is_looked_at(chunk, one) for one in chunk.globals if one.id == name.id
        )
    if any(loop.start <= one.node.start < loop.end for one in variable.definitions):
        return False
    here = function_around(loop)
    if any(function_around(one.node) is not here for one in variable.definitions):
        return False  # a closure may run at any time
    return not chunk.value(name).can_be(Kind.TABLE) or (
        not any(loop.start <= target.start < loop.end for target, _ in variable.stores)
        and all(_is_looked_at(chunk, one) for one in variable.reads)
    )


def _is_looked_at(chunk: Chunk, name: Name) -> bool:
    """Whether a read of a table changes nothing in it, and lets nobody else do so."""
    outer = name.parent
    match outer:
        case Index():
            around = outer.parent
            is_target = isinstance(around, Assign) and outer in around.targets
            return outer.base is not name or not is_target
        case Unary() | Binary(operator="==" | "~="):
            return True
        case Call():
            is_given = any(one is name for one in outer.arguments)
            return is_given and (
                outer.path in LOOKING or outer.path in PURE or chunk.command_of(outer) is not None
            )
    return False
