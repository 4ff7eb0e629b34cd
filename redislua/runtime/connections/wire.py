"""Commands into bytes and bytes into replies, with hiredis where it is installed.

With a reader of our own a reply is a value, whatever its class; the parsers that the client
libraries have for themselves raise some error replies as broken connections. Without hiredis
those parsers are what reads, one connection for each call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from redislua.runtime.call import Call
from redislua.runtime.steps import Command

try:
    import hiredis
except ImportError:
    hiredis = None  # type: ignore[assignment]

__all__ = ["IS_FAST", "NOTHING", "evalsha", "pack", "push_type", "reader"]

IS_FAST = hiredis is not None
"""Whether hiredis is here."""

NOTHING = object()
"""What a reader gives while no reply is complete."""

_LENGTHS = [b"\r\n$%d\r\n" % length for length in range(256)]


def reader(parse_error: Callable[[str], Exception], errors: ModuleType) -> Any:
    """Make a ``hiredis.Reader`` that gives bytes, and error replies as exception values.

    Args:
        parse_error: Makes an exception of the text of an error reply.
        errors: Exceptions of the client library.

    Returns:
        The reader, or None without hiredis.
    """
    if not IS_FAST:
        return None

    def parsed(text: str) -> Exception:
        try:
            return parse_error(text)
        except (ValueError, IndexError):  # a script's own "MOVED to nowhere"
            error: Exception = errors.ResponseError(text)
            return error

    return hiredis.Reader(
        protocolError=errors.InvalidResponse, replyError=parsed, notEnoughData=NOTHING
    )


def push_type() -> type | tuple[()]:
    """The class of what a server says unasked on RESP3; nothing is an instance of ``()``."""
    return getattr(hiredis, "PushNotification", ())


def pack(commands: Sequence[Command]) -> bytes:
    """Encode commands; needs hiredis."""
    return b"".join([hiredis.pack_command(command) for command in commands])  # type: ignore[arg-type]


def evalsha(call: Call[Any], *, read_only: bool = False) -> bytes:
    """Encode the first command of a call: what `pack` gives, at half of its cost."""
    keys, args = call.keys, call.args
    parts = [_head(call.script.sha1, len(keys), len(keys) + len(args), read_only)]
    for operand in keys + args:
        length = len(operand)
        parts.append(_LENGTHS[length] if length < 256 else b"\r\n$%d\r\n" % length)
        parts.append(operand)
    parts.append(b"\r\n")
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _head(sha1: str, keys: int, operands: int, read_only: bool) -> bytes:
    name = b"EVALSHA_RO" if read_only else b"EVALSHA"
    first = (name, sha1.encode("ascii"), b"%d" % keys)
    bulk = b"".join(b"\r\n$%d\r\n%b" % (len(part), part) for part in first)
    return b"*%d%b" % (operands + 3, bulk)
