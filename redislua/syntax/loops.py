"""How often a loop can run, as far as the script's text tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from redislua.syntax.nodes import (
    Binary,
    Call,
    Constant,
    Expression,
    ForIn,
    Loop,
    Name,
    Number,
    Repeat,
    Table,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall, path_of
from redislua.syntax.values import Kind, Origin, Value
from redislua.syntax.variables import Variable

__all__ = ["LOOKING", "Bound", "bound_of"]

By: TypeAlias = Literal[
    "constant", "keys", "arguments", "argument", "reply", "condition", "nothing", "unknown"
]

Valued: TypeAlias = Callable[[Expression], Value]

LOOKING = (
    "cjson.encode",
    "cmsgpack.pack",
    "ipairs",
    "next",
    "pairs",
    "table.concat",
    "table.sort",
    "type",
    "unpack",
)
"""Functions that add nothing to a table that they are given."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How often a loop can run.

    Attributes:
        by: What decides: a ``constant``; the number of ``keys`` or ``arguments`` passed;
            the value of an ``argument``; a ``reply`` of the server; a ``condition`` that
            the body may change; ``nothing``; ``unknown`` where the text does not tell.
        most: The number, where it is a constant.
        reply: The command whose reply decides, where that is known.
    """

    by: By
    most: float | None = None
    reply: CommandCall | None = None


def bound_of(loop: Loop, value: Valued) -> Bound:
    """How often a loop can run.

    Args:
        loop: The loop.
        value: Says what is known of an expression.
    """
    if isinstance(loop, While | Repeat):
        holds = _always(loop.condition)
        if holds is None:
            return Bound("condition")
        if isinstance(loop, Repeat):
            return Bound("constant", 1) if holds else Bound("nothing")
        return Bound("nothing") if holds else Bound("constant", 0)
    if isinstance(loop, ForIn):
        source = bare(loop.values[0]) if loop.values else None
        if isinstance(source, Call) and path_of(source.callee) in ("ipairs", "pairs"):
            over = source.arguments[0] if source.arguments else None
            return Bound("unknown") if over is None else _over(over, value)
        return Bound("unknown")
    first, last = value(loop.first).constant, value(loop.last).constant
    if isinstance(first, float) and isinstance(last, float):
        return Bound("constant", abs(last - first) + 1)
    # Downwards, from the length to one.
    return _counted(loop.first if isinstance(last, float) else loop.last, value)


def _always(condition: Expression) -> bool | None:
    """Whether a condition that is a constant holds; None for all others."""
    node = bare(condition)
    if isinstance(node, Constant):
        return node.word == "true"
    return True if isinstance(node, Number) else None


def _counted(expression: Expression, value: Valued) -> Bound:
    node = bare(expression)
    known = value(expression)
    if isinstance(known.constant, float):
        return Bound("constant", known.constant)
    match node:
        case Unary(operator="#"):
            return _over(node.operand, value)
        case Binary(operator="+" | "-" | "/" | "*"):
            return _counted(node.left, value)
        case Call() if node.arguments and node.path == "math.min":
            bounds = [_counted(one, value) for one in node.arguments]
            constant = [bound for bound in bounds if bound.by == "constant"]
            return constant[0] if constant else bounds[0]
        case Call() if node.arguments and node.path in ("math.floor", "math.ceil"):
            return _counted(node.arguments[0], value)
        case Name():
            definitions = reaching(node)
            if len(definitions) == 1 and definitions[0].value is not None:
                return _counted(definitions[0].value, value)
    if known.origin == Origin.ARGV:
        return Bound("argument")
    if Origin.STORED in known.origin:
        return Bound("reply", reply=known.reply)
    return Bound("unknown")


def _over(expression: Expression, value: Valued) -> Bound:
    node, known = bare(expression), value(expression)
    if known.symbol == "KEYS":
        return Bound("keys")
    if known.symbol == "ARGV":
        return Bound("arguments")
    if known.reply is not None:
        return Bound("reply", reply=known.reply)
    table = node
    if isinstance(node, Name) and node.variable is not None:
        table = bare(node.variable.only_value())
        if isinstance(table, Table) and _is_filled(node.variable):
            return Bound("unknown")
    if isinstance(table, Table):
        is_open = bool(table.items) and isinstance(bare(table.items[-1].value), Call)
        return Bound("unknown") if is_open else Bound("constant", len(table.items))
    if known.origin == Origin.STORED and known.is_only(Kind.TABLE | Kind.FALSE):
        return Bound("reply")
    return Bound("unknown")


def _is_filled(variable: Variable) -> bool:
    """Whether anything but its constructor may put something into a table."""
    return bool(variable.stores) or any(
        isinstance(read.parent, Call)
        and read in read.parent.arguments
        and path_of(read.parent.callee) not in LOOKING
        for read in variable.reads
    )
