"""Whether a value fits the type that the header declares for a reply."""

from __future__ import annotations

from redislua.spec.model import Type
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, Expression, bare
from redislua.syntax.values import Kind

__all__ = ["misfit"]

_TEXT = ("str", "bytes", "enum", "owner", "token", "float")


def misfit(chunk: Chunk, wanted: Type, expression: Expression) -> str:
    """What is wrong with a value for a type, as ``is a string``; ``""`` if nothing is for certain."""
    value = chunk.value(expression)
    if not value.kind:
        return ""
    if wanted.kind in _TEXT and _is_status(chunk, expression):
        return ""
    if value.is_only(Kind.TABLE):
        return "is a table: replies are flat"
    if value.is_only(Kind.FUNCTION):
        return "is a function"
    if value.is_only(Kind.FALSE):
        return "" if wanted.optional else "is false, which arrives as nil"
    if value.is_only(Kind.BOOLEAN):
        return _of_boolean(wanted, value.can_be(Kind.FALSE))
    if (
        wanted.kind in _TEXT
        and value.is_only(Kind.NUMBER | Kind.FALSY)
        and value.can_be(Kind.NUMBER)
    ):
        return "is a number: the server sends it as an integer, not as text"
    if wanted.kind not in _TEXT and value.is_only(Kind.STRING):
        return "is text, and the decoder takes an integer"
    constant = value.constant
    if wanted.kind == "enum" and isinstance(constant, bytes):
        word = constant.decode("utf-8", "replace")
        return "" if word in wanted.choices else f"is {word!r}, which is none of its words"
    return ""


def _is_status(chunk: Chunk, expression: Expression) -> bool:
    """Whether a value is a status, which arrives as text."""
    node = bare(expression)
    if isinstance(node, Call) and chunk.means(node.callee) in _STATUS:
        return True
    command = chunk.value(expression).reply
    return (
        command is not None
        and command.row is not None
        and command.row.reply_to(command.words(), is_open=command.is_open) == "status"
    )


_STATUS = ("redis.status_reply", "server.status_reply")


def _of_boolean(wanted: Type, can_be_false: bool) -> str:
    if wanted.kind != "bool":
        return "" if wanted.optional and not can_be_false else "is a boolean"
    return "is false or true, and false arrives as nil: write `and 1 or 0`" if can_be_false else ""
