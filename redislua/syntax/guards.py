"""Whether a script asks what a value is before it uses it."""

from __future__ import annotations

from redislua.syntax.nodes import (
    LOOPS,
    Binary,
    Call,
    Constant,
    Expression,
    Function,
    If,
    Node,
    Number,
    Parens,
    Repeat,
    String,
    Unary,
    While,
    bare,
)

__all__ = ["BRANCHING", "asked_for_its_own", "is_asked"]

ASKING = ("assert", "type", "next")
CONDITIONAL = (If, While, Repeat)
BRANCHING = (If, Function, *LOOPS)
COMPARING = ("==", "~=", "<", "<=", ">", ">=")
OPERATORS = (Parens, Binary, Unary)


def is_asked(node: Expression) -> bool:
    """Whether an expression stands where the script asks what it is.

    That is a condition, ``not``, ``and``, an equality, ``assert`` or a comparison of its length;
    not an order, since ``a < b`` fails where one of them is nil; nor ``a or b`` that gives another value a default.
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
        return outer.operator == "not" or _is_measured(outer)
    return type(outer) in CONDITIONAL


def _is_measured(length: Unary) -> bool:
    """Whether a length is compared: ``#x == 0``."""
    outer = length.parent
    return type(outer) is Binary and outer.operator in COMPARING


def asked_for_its_own(node: Expression) -> If | None:
    """The ``if`` of one arm that a test is part of, if its block runs only where a value is there.

    That is ``if x``, ``if x and …``, ``if x ~= nil`` and the like. What follows such an ``if``
    runs whether the value is there or not, unless the block gives it one.
    """
    inner, outer = node, node.parent
    while isinstance(outer, Parens):
        inner, outer = outer, outer.parent
    if isinstance(outer, Binary) and outer.operator in ("==", "~="):
        other = bare(outer.right if outer.left is inner else outer.left)
        is_none = isinstance(other, Constant) and other.word in ("nil", "false")
        is_some = isinstance(other, Number | String)
        if not (is_none if outer.operator == "~=" else is_some):
            return None
        inner, outer = outer, outer.parent
    while isinstance(outer, Parens) or (isinstance(outer, Binary) and outer.operator == "and"):
        inner, outer = outer, outer.parent
    if not isinstance(outer, If) or len(outer.arms) > 1 or outer.otherwise is not None:
        return None
    return outer if outer.arms[0][0] is inner else None


def _is_condition(node: Node) -> bool:
    for outer in node.parents():
        if type(outer) in CONDITIONAL:
            return True
        if type(outer) not in OPERATORS:
            return False
    return False
