"""What a script sends to its caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Call,
    Constant,
    Expression,
    Index,
    Name,
    Number,
    String,
    Table,
    bare,
)
from redislua.syntax.sites import function_of, path_of

__all__ = ["returned"]

DEEPEST = 6
PLAIN = (Constant, Number, String, Index)
"""What most returned values are: nothing is to be looked through."""


def returned(chunk: Chunk) -> Sequence[tuple[Expression, Expression]]:
    """What becomes the reply, or part of it, as far as seen: where it is named, and what it is.

    Locals that always hold one table, functions that the script calls, ``and`` and ``or``,
    and the elements of tables are looked through. Where nothing is to be looked through,
    both are the same expression.
    """
    known = _KNOWN.get(chunk)
    if known is None:
        known = _KNOWN[chunk] = [
            pair
            for statement in chunk.main.returns
            for value in statement.values[:1]
            for pair in _parts(value, ())
        ]
    return known


_KNOWN: WeakKeyDictionary[Chunk, list[tuple[Expression, Expression]]] = WeakKeyDictionary()
"""Several rules ask for it."""


def _parts(
    expression: Expression, inside: tuple[object, ...]
) -> Iterator[tuple[Expression, Expression]]:
    node = bare(expression)
    if len(inside) > DEEPEST or node in inside:
        return
    if type(node) in PLAIN:
        yield node, node
        return
    deeper = (*inside, node)
    match node:
        case Table():
            yield node, node
            for item in node.items:
                if item.key is None:
                    yield from _parts(item.value, deeper)
            yield from _put_into(node, deeper)
        case Binary(operator="and"):
            yield from _parts(node.right, deeper)
        case Binary(operator="or"):
            yield from _parts(node.left, deeper)
            yield from _parts(node.right, deeper)
        case Name() if node.variable is not None:
            value = bare(node.variable.only_value())
            if isinstance(value, Table):
                for shown, part in _parts(value, deeper):
                    yield (node, part) if part is value else (shown, part)
            else:
                yield node, node
        case Call():
            function = function_of(node) if node.method is None else None
            if function is None:
                yield node, node
                return
            for statement in function.returns:
                for value in statement.values[:1]:
                    yield from _parts(value, deeper)
        case _:
            yield node, node


def _put_into(table: Table, inside: tuple[object, ...]) -> Iterator[tuple[Expression, Expression]]:
    """What is appended to a table that a local holds."""
    variables = getattr(table.parent, "variables", ())
    values = getattr(table.parent, "values", ())
    for variable, value in zip(variables, values, strict=False):
        if value is not table:
            continue
        for target, stored in variable.stores:
            if stored is not None and not isinstance(bare(target.key), String):
                yield from _parts(stored, inside)
        for read in variable.reads:
            call = read.parent
            if (
                isinstance(call, Call)
                and call.arguments[:1] == [read]
                and path_of(call.callee) == "table.insert"
            ):
                yield from _parts(call.arguments[-1], inside)
