"""Expressions that give something in every run."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    For,
    ForIn,
    Name,
    Number,
    String,
    Table,
    Unary,
    bare,
)
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import path_of
from redislua.syntax.values import Kind

__all__ = ["is_never_nil"]


def is_never_nil(chunk: Chunk, node: Expression) -> bool:
    """Whether an expression is no nil by its form, whatever the script has asked before."""
    match node:
        case String() | Number() | Table() | Unary():
            return True
        case Binary():
            return node.operator not in ("and", "or")
        case Call():
            value = chunk.value(node)
            is_own = chunk.function_called(node) is not None
            return (
                not is_own
                and value.reply is None
                and value.is_only(Kind.STRING | Kind.NUMBER | Kind.BOOLEAN)
            )
        case Name() if node.variable is not None:
            found = reaching(node)
            return bool(found) and all(
                _is_loops_own(one.node, one.value)
                or (
                    one.value is not None
                    and one.index == 0
                    and is_never_nil(chunk, bare(one.value))
                )
                for one in found
            )
    return False


def _is_loops_own(node: object, value: Expression | None) -> bool:
    """Whether a definition is a ``for``'s: of numbers, or of what ``pairs`` gives."""
    if value is not None:
        return False
    if isinstance(node, For):
        return True
    if not isinstance(node, ForIn) or not node.values:
        return False
    source = bare(node.values[0])
    return isinstance(source, Call) and path_of(source.callee) in ("pairs", "ipairs")
