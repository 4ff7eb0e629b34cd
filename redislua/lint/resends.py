"""What a second execution of a script does again."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Origin

__all__ = ["adds", "is_guarded"]

_COUNTING = (
    "DECR",
    "DECRBY",
    "HINCRBY",
    "HINCRBYFLOAT",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "ZINCRBY",
)
_PUSHING = ("APPEND", "BITFIELD", "LINSERT", "LPUSH", "LPUSHX", "RPUSH", "RPUSHX")
_TAKING = ("LMOVE", "LMPOP", "LPOP", "RPOP", "RPOPLPUSH", "SPOP", "ZMPOP", "ZPOPMAX", "ZPOPMIN")


def adds(command: CommandCall) -> bool:
    """Whether a command changes its key once more when it comes again."""
    if command.name == "XADD":
        return b"*" in command.words()[1:]
    if command.name in (*_COUNTING, *_PUSHING, *_TAKING):
        return True
    return command.name == "ZADD" and command.has_word("INCR")


def is_guarded(chunk: Chunk, write: CommandCall) -> bool:
    """Whether something above a write may tell a resend from a first call.

    That is a comparison of an argument with something stored, a command about an owner or a
    token, and a command that writes but once.
    """
    return _is_compared(chunk, write) or _is_looked_up(chunk, write)


def _is_compared(chunk: Chunk, write: CommandCall) -> bool:
    """Whether an argument is compared with something stored before a write."""
    for node in chunk.of(Binary):
        if node.operator in ("==", "~=") and node.start < write.start:
            sides = [chunk.value(side).origin for side in (node.left, node.right)]
            if any(Origin.STORED in one for one in sides) and any(
                Origin.ARGV in one for one in sides
            ):
                return True
    return False


def _is_looked_up(chunk: Chunk, write: CommandCall) -> bool:
    """Whether a command above a write is about an owner or a token, or writes but once."""
    script = chunk.script
    wanted = {
        ("ARGV", float(number))
        for number, arg in enumerate(script.args if script is not None else (), 1)
        if arg.type.kind in ("owner", "token")
    }
    for other in chunk.commands:
        if other.start >= write.start:
            break
        if other.name in ("SETNX", "HSETNX", "MSETNX") or other.has_word("NX"):
            return True
        if any(_holds(chunk, argument, wanted) for argument in other.arguments):
            return True
    return False


def _holds(chunk: Chunk, argument: Expression, wanted: set[tuple[str, float]]) -> bool:
    """Whether an argument is one of these, or made from it."""
    stack = [chunk.value(argument).symbol]
    while stack:
        symbol = stack.pop()
        if isinstance(symbol, tuple):
            if symbol in wanted:
                return True
            stack.extend(symbol)
    return False
