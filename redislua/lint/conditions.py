"""Where being true or false decides something."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.syntax.nodes import (
    Binary,
    Block,
    Call,
    Expression,
    If,
    Index,
    Name,
    Node,
    Parens,
    Repeat,
    Unary,
    While,
    bare,
)
from redislua.syntax.sites import path_of

__all__ = ["is_condition", "operands_of"]


def is_condition(node: Expression) -> bool:
    """Whether its being true or false decides something, and nothing else looks at it there."""
    inner, outer = _outside(node)
    if isinstance(outer, If):
        return any(condition is inner for condition, _ in outer.arms)
    if isinstance(outer, While | Repeat):
        return outer.condition is inner
    if isinstance(outer, Unary):
        return outer.operator == "not"
    if isinstance(outer, Binary) and outer.operator in ("and", "or"):
        return not _is_repeated(node, outer) and (
            (outer.operator == "and" and outer.left is inner) or _decides(outer)
        )
    return False


def operands_of(condition: Expression) -> Iterator[Expression]:
    """The operands of a condition, through ``not``, ``and``, ``or`` and comparisons."""
    node = bare(condition)
    match node:
        case Binary():
            yield from operands_of(node.left)
            yield from operands_of(node.right)
        case Unary():
            yield from operands_of(node.operand)
        case Call() if path_of(node.callee) in ("tonumber", "type") and node.arguments:
            yield from operands_of(node.arguments[0])
        case _:
            yield node


def _decides(node: Binary) -> bool:
    """Whether what ``and`` or ``or`` gives is itself a condition."""
    inner, outer = _outside(node)
    while isinstance(outer, Binary) and outer.operator in ("and", "or"):
        inner, outer = _outside(outer)
    if isinstance(outer, If):
        return any(condition is inner for condition, _ in outer.arms)
    return isinstance(outer, While | Repeat) or (
        isinstance(outer, Unary) and outer.operator == "not"
    )


def _is_repeated(node: Expression, around: Binary) -> bool:
    """Whether the same expression stands in the condition again."""
    top: Expression = around
    while isinstance(top.parent, Expression) and not isinstance(top.parent, Call | Index):
        top = top.parent
    if isinstance(top.parent, Block):
        return True
    if isinstance(node, Name):
        same = node.variable.reads if node.variable is not None else []
        return any(one is not node and top.start <= one.start < top.end for one in same)
    return False


def _outside(node: Node) -> tuple[Node, Node | None]:
    """What a node is part of, and its part there, parentheses passed over."""
    inner, outer = node, node.parent
    while isinstance(outer, Parens):
        inner, outer = outer, outer.parent
    return inner, outer
