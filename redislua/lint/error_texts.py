"""The texts with which a script answers as an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Local, Name, Return, String, Table, bare
from redislua.syntax.sites import path_of

__all__ = ["ErrorText", "error_texts", "start_of"]


@dataclass(frozen=True, slots=True)
class ErrorText:
    """One place that gives an error its text.

    Attributes:
        node: The text.
        start: What it begins with, as far as that is literal.
        is_whole: Whether there is no more of it.
        first: The first part that is not literal, or None.
    """

    node: Expression
    start: bytes
    is_whole: bool
    first: Expression | None


def error_texts(chunk: Chunk) -> Iterator[ErrorText]:
    """The text of each ``error_reply``, and of each ``{err = …}`` that becomes a reply."""
    for call in chunk.calls_to("redis.error_reply", "server.error_reply"):
        if call.arguments:
            yield start_of(chunk, call.arguments[0])
    for table in chunk.tables:
        for item in table.items:
            if isinstance(item.key, String) and item.key.text == b"err" and _is_answer(table):
                yield start_of(chunk, item.value)


def start_of(chunk: Chunk, expression: Expression) -> ErrorText:
    """How a text begins."""
    node = bare(expression)
    constant = chunk.value(expression).constant
    if isinstance(constant, bytes):
        return ErrorText(expression, constant, True, None)
    if isinstance(node, Call):
        template = _template(node)
        if template is not None:
            return ErrorText(expression, template.text.partition(b"%")[0], False, None)
    if isinstance(node, Binary) and node.operator == "..":
        left = start_of(chunk, node.left)
        if not left.is_whole:
            return ErrorText(expression, left.start, False, left.first)
        right = start_of(chunk, node.right)
        return ErrorText(expression, left.start + right.start, False, right.first)
    return ErrorText(expression, b"", False, expression)


def _template(call: Call) -> String | None:
    """The literal that ``string.format`` or ``:format`` fills in."""
    if call.method == "format":
        node = bare(call.callee)
    elif path_of(call.callee) == "string.format" and call.arguments:
        node = bare(call.arguments[0])
    else:
        return None
    return node if isinstance(node, String) else None


def _is_answer(table: Table) -> bool:
    """Whether a table is returned or raised, perhaps through a local."""
    parent = table.parent
    if isinstance(parent, Return):
        return True
    if isinstance(parent, Call):
        return path_of(parent.callee) == "error"
    if isinstance(parent, Local) and len(parent.variables) == 1:
        return any(_is_answered(read) for read in parent.variables[0].reads)
    return False


def _is_answered(read: Name) -> bool:
    parent = read.parent
    return isinstance(parent, Return) or (
        isinstance(parent, Call) and path_of(parent.callee) == "error"
    )
