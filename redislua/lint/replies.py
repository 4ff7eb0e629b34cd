"""What scripts do with replies."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Origin, Value

__all__ = ["has_resp3", "is_reply", "reply_type"]


def has_resp3(chunk: Chunk) -> bool:
    """Whether the script may have asked for replies of RESP3, which are others."""
    return any(
        not call.arguments or chunk.value(call.arguments[0]).constant != 2
        for call in chunk.calls_to("redis.setresp", "server.setresp")
    )


def reply_type(command: CommandCall | None) -> str:
    """The type of a command's reply, as `Command.reply_to` names it; ``unknown`` if none."""
    if command is None or command.row is None or command.name == "TIME":
        return "unknown"
    return command.row.reply_to(command.words(), is_open=command.is_open)


def is_reply(value: Value) -> bool:
    """Whether a value is a reply or an element of one: never nil, and never ``true``."""
    if not value.kind or value.can_be(Kind.NIL) or value.origin != Origin.STORED:
        return False
    if value.reply is not None:
        return value.reply.row is not None and value.is_only(
            Kind.STRING | Kind.NUMBER | Kind.TABLE | Kind.FALSE
        )
    return value.can_be(Kind.FALSE) and value.is_only(Kind.STRING | Kind.NUMBER | Kind.FALSE)
