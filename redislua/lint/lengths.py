"""How long a table can become."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Severity
from redislua.lint.sizes import OBJECTS, excess
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Index, Name, Node, Table, Unary, bare
from redislua.syntax.sites import path_of
from redislua.syntax.variables import Variable

__all__ = ["length_of"]

ORDERS = ("==", "<", "<=", ">", ">=")


def length_of(chunk: Chunk, expression: Expression) -> tuple[str, Severity] | None:
    """What decides how long a table is, and how bad that is; None where it is short."""
    node = bare(expression)
    value = chunk.value(node)
    if value.symbol == "ARGV":
        return "the caller decides how many there are", Severity.INFO
    variable = node.variable if isinstance(node, Name) else None
    if variable is not None and _is_measured(chunk, variable):
        return None
    if value.reply is not None:
        if excess(chunk, value.reply) is None and value.reply.name != "KEYS":
            return None
        is_object = value.reply.name in OBJECTS
        by = f"nothing bounds what {value.reply.name} gives"
        return by, Severity.INFO if is_object else Severity.WARNING
    if variable is not None and isinstance(bare(variable.only_value()), Table):
        return _filled(chunk, variable)
    return None


def _filled(chunk: Chunk, variable: Variable) -> tuple[str, Severity] | None:
    """What the loops that fill a table run over."""
    inside = {id(loop) for loop in chunk.loops_around(variable)}
    for place in _fillings(variable):
        for loop in chunk.loops_around(place):
            if id(loop) in inside:
                continue
            bound = chunk.bound(loop)
            if bound.by == "reply":
                if bound.reply is not None and excess(chunk, bound.reply) is not None:
                    return f"nothing bounds what {bound.reply.name} gives", Severity.WARNING
            elif bound.by in ("arguments", "argument"):
                return "the caller decides how many there are", Severity.INFO
    return None


def _fillings(variable: Variable) -> Iterator[Node]:
    for target, _ in variable.stores:
        yield target
    for read in variable.reads:
        call = read.parent
        if isinstance(call, Call) and path_of(call.callee) == "table.insert":
            yield call


def _is_measured(chunk: Chunk, variable: Variable) -> bool:
    """Whether the script compares the table's length with something but zero."""
    for read in variable.reads:
        length = read.parent
        outer = length.parent if isinstance(length, Unary) else None
        if isinstance(outer, Binary) and outer.operator in ORDERS:
            other = outer.right if outer.left is length else outer.left
            if chunk.value(other).constant not in (0, 1) and not isinstance(other, Index):
                return True
    return False
