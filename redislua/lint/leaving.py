"""Statements behind which nothing runs."""

from __future__ import annotations

from redislua.syntax.nodes import (
    Block,
    Break,
    CallStatement,
    Constant,
    Do,
    If,
    Node,
    Return,
    Statement,
    While,
    bare,
)
from redislua.syntax.sites import path_of

__all__ = ["is_broken", "is_unreachable", "leaves"]


def leaves(statement: Statement) -> bool:
    """Whether nothing that follows a statement in its block can run."""
    match statement:
        case Return() | Break():
            return True
        case CallStatement():
            return path_of(getattr(statement.call, "callee", None)) == "error"
        case Do():
            return _ends(statement.body)
        case If(otherwise=Block() as otherwise):
            return _ends(otherwise) and all(_ends(block) for _, block in statement.arms)
        case While():
            condition = bare(statement.condition)
            is_endless = isinstance(condition, Constant) and condition.word == "true"
            return is_endless and not is_broken(statement.body)
    return False


def is_unreachable(node: Node) -> bool:
    """Whether a statement in front of a place, or of what it is part of, leaves."""
    inner = node
    for outer in node.parents():
        if isinstance(outer, Block):
            for statement in outer.statements:
                if statement.start >= inner.start:
                    break
                if leaves(statement):
                    return True
        inner = outer
    return False


def _ends(block: Block) -> bool:
    return bool(block.statements) and leaves(block.statements[-1])


def is_broken(block: Block) -> bool:
    """Whether a ``break`` in a loop's body leaves that loop."""
    for statement in block.statements:
        match statement:
            case Break():
                return True
            case Do() if is_broken(statement.body):
                return True
            case If():
                blocks = [one for _, one in statement.arms]
                if statement.otherwise is not None:
                    blocks.append(statement.otherwise)
                if any(is_broken(one) for one in blocks):
                    return True
    return False
