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
CONDITIONAL = (If, While, Repeat)
OPERATORS = (Parens, Binary, Unary)


def is_asked(node: Expression) -> bool:
    """Whether an expression stands where the script asks what it is.

    That is a condition, ``not``, ``and``, an equality or ``assert``; not an order, since
    ``a < b`` fails where one of them is nil; nor ``a or b`` that gives another value a default.
    """
    inner, outer = node, node.parent
    while type(outer) is Parens:
        inner, outer = outer, outer.parent
    # Every name of a script comes here, so the class that most are part of comes first.
    if type(outer) is Call:
        return outer.path in ASKING and inner is not outer.callee
    if type(outer) is Binary:
        operator = outer.operator
        if operator in ("==", "~="):
            return True
        if operator == "and":
            return outer.left is inner or _is_condition(outer)
        # A default, `or`: what has none is not asked for.
        return operator == "or" and _is_condition(outer)
    if type(outer) is Unary:
        return outer.operator == "not"
    return type(outer) in CONDITIONAL


def _is_condition(node: Node) -> bool:
    for outer in node.parents():
        if type(outer) in CONDITIONAL:
            return True
        if type(outer) not in OPERATORS:
            return False
    return False
