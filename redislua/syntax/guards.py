"""Whether a script asks what a value is before it uses it."""

from __future__ import annotations

from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    If,
    Node,
    Parens,
    Repeat,
    Unary,
    While,
)

__all__ = ["is_asked"]

ASKING = ("assert", "type", "next")


def is_asked(node: Expression) -> bool:
    """Whether an expression stands where the script asks what it is.

    That is a condition, ``not``, ``and``, an equality or ``assert``; not an order, since
    ``a < b`` fails where one of them is nil; nor ``a or b`` that gives another value a default.
    """
    inner: Node = node
    for outer in node.parents():
        match outer:
            case Parens():
                inner = outer
            case Unary(operator="not") | Binary(operator="==" | "~="):
                return True
            case Binary(operator="and"):
                return outer.left is inner or _is_condition(outer)
            case Binary(operator="or"):
                return _is_condition(outer)  # a default: what has none is not asked for
            case If() | While() | Repeat():
                return True
            case Call():
                return inner is not outer.callee and outer.path in ASKING
            case _:
                return False
    return False


def _is_condition(node: Node) -> bool:
    for outer in node.parents():
        if isinstance(outer, If | While | Repeat):
            return True
        if not isinstance(outer, Parens | Binary | Unary):
            return False
    return False
