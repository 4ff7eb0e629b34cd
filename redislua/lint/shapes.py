"""What a script replies with, as far as its text tells: for comparison with its header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Name, Node, String, Table, Vararg, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import is_single
from redislua.syntax.values import Kind

__all__ = ["Shape", "names_of", "shapes"]

ERRORS = ("redis.error_reply", "server.error_reply")


@dataclass(frozen=True, slots=True)
class Shape:
    """One reply.

    Attributes:
        node: Where it is written.
        items: The elements of a table; None for what is no table.
        grows: Whether more elements may follow: from a call, or put in later.
    """

    node: Expression
    items: tuple[Expression, ...] | None
    grows: bool = False


def shapes(chunk: Chunk) -> Iterator[Shape | None]:
    """Every reply of the main chunk; None for one that the text does not tell.

    Errors are no replies. A ``return`` without a value is one without a node, so it is None.
    """
    for statement in chunk.main.returns:
        if not statement.values:
            yield None
        else:
            yield from _of(chunk, statement.values[0], set())


def _of(chunk: Chunk, expression: Expression, seen: set[Node]) -> Iterator[Shape | None]:
    node = bare(expression)
    if node in seen:
        return  # known already, or a function that calls itself
    seen.add(node)
    match node:
        case Table():
            yield from _of_table(node, grows=False)
        case Binary(operator="or"):
            yield from _of(chunk, node.left, seen)
            yield from _of(chunk, node.right, seen)
        case Binary(operator="and"):
            yield from _of(chunk, node.right, seen)
        case Name() if node.variable is not None:
            yield from _of_local(chunk, node, seen)
        case Call() if chunk.means(node.callee) in ERRORS:
            return
        case Call() if (function := chunk.function_called(node)) is not None:
            if not function.returns:
                yield None
            for one in function.returns:
                if one.values:
                    yield from _of(chunk, one.values[0], seen)
                else:
                    yield None
        case _:
            yield Shape(node, None)


def _of_local(chunk: Chunk, name: Name, seen: set[Node]) -> Iterator[Shape | None]:
    variable = name.variable
    for definition in reaching(name):
        value = bare(definition.value) if definition.index == 0 else None
        if isinstance(value, Table):
            is_filled = variable is not None and (
                bool(variable.stores)
                or any(
                    isinstance(read.parent, Call) and read in read.parent.arguments
                    for read in variable.reads
                )
            )
            yield from _of_table(value, grows=is_filled)
        elif isinstance(value, Call) and chunk.command_of(value) is None:
            yield from _of(chunk, value, seen)
        elif value is not None:
            yield Shape(name, None)
        else:
            yield None


def _of_table(table: Table, *, grows: bool) -> Iterator[Shape | None]:
    if any(item.key is not None for item in table.items):
        yield None if _is_error(table) else Shape(table, None)
        return
    items = tuple(item.value for item in table.items)
    last = bare(items[-1]) if items else None
    is_open = isinstance(last, Vararg) or (
        isinstance(items[-1] if items else None, Call)
        and isinstance(last, Call)
        and not is_single(last)
    )
    yield Shape(table, items, grows or is_open)


def _is_error(table: Table) -> bool:
    return any(isinstance(item.key, String) and item.key.text == b"err" for item in table.items)


# --- the variant ----------------------------------------------------------------------------


def names_of(chunk: Chunk, shape: Shape) -> tuple[str, ...] | None:
    """The variants that a reply may be; none for what is no variant, None if not known."""
    if shape.items is None:
        value = chunk.value(shape.node)
        if isinstance(shape.node, Table):
            return ()  # its fields have names
        is_known = value.reply is not None or not value.can_be(Kind.TABLE)
        return () if is_known and not value.can_fail else None
    if not shape.items:
        return None if shape.grows else ()
    return _words(chunk, shape.items[0])


def _words(chunk: Chunk, expression: Expression) -> tuple[str, ...] | None:
    node = bare(expression)
    if isinstance(node, Binary) and node.operator in ("and", "or"):
        left = () if node.operator == "and" else _words(chunk, node.left)
        right = _words(chunk, node.right)
        return None if left is None or right is None else (*left, *right)
    value = chunk.value(node)
    if isinstance(value.constant, bytes):
        return (value.constant.decode("utf-8", "replace"),)
    return None if value.can_be(Kind.STRING) else ()
