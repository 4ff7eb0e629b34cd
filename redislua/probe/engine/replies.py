"""Replies into Lua values and Lua values into replies, as the server turns them.

The rules are those of ``script_lua.c``. A table is looked at without its metatable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.exceptions import ResponseError

from redislua.probe.engine.wire import Failure, Reply, Status, Typed

__all__ = ["from_lua", "one_line", "plain", "to_lua"]

DEEPEST = 200
"""Tables within tables of a reply; the server's own limit lies at some thousands."""

_LEAST = -(2**63)


def to_lua(lua: Any, reply: Reply) -> Any:
    """The value that ``redis.pcall`` gives for a reply; ``lua`` is a `lupa.lua51.LuaRuntime`."""
    match reply:
        case None:
            return False
        case Typed(kind="null"):
            return None
        case Status():
            return lua.table_from({b"ok": bytes(reply)})
        case Failure():
            return lua.table_from({b"err": bytes(reply)})
        case Typed(kind="double", value=value):
            return lua.table_from({b"double": float(value)})
        case Typed(kind="big_number", value=value):
            return lua.table_from({b"big_number": value})
        case Typed(kind="verbatim_string", value=value):
            inner = lua.table_from({b"format": value[:3], b"string": value[4:]})
            return lua.table_from({b"verbatim_string": inner})
        case Typed(kind="set", value=value):
            return _keyed(lua, b"set", ((one, True) for one in value))
        case Typed(kind="map", value=value):
            return _keyed(lua, b"map", zip(value[::2], value[1::2], strict=True))
        case list():
            table = lua.table()
            for index, one in enumerate(reply, 1):
                table[index] = to_lua(lua, one)
            return table
    return reply  # text, numbers and truth are the same here and there


def _keyed(lua: Any, name: bytes, pairs: Any) -> Any:
    inner = lua.table()
    for key, value in pairs:
        inner[to_lua(lua, key)] = to_lua(lua, value)
    return lua.table_from({name: inner})


def from_lua(rawget: Any, kind_of: Any, value: Any, depth: int = 0) -> Reply:
    """The reply that a script's value becomes under RESP2.

    Args:
        rawget: Lua's function.
        kind_of: Lua's ``type``.
        value: What the script returned, as lupa gives it.
        depth: How many tables it is in.
    """
    if value is None or value is False:
        return None
    if value is True:
        return 1
    if isinstance(value, bytes):
        return value
    if isinstance(value, int | float):
        return _integer(value)
    if kind_of(value) != b"table":
        return None
    if depth > DEEPEST:
        return Failure(b"ERR reached lua stack limit")

    def inner(one: Any) -> Reply:
        return from_lua(rawget, kind_of, one, depth + 1)

    return _of_table(rawget, kind_of, value, inner)


def _of_table(rawget: Any, kind_of: Any, table: Any, inner: Any) -> Reply:
    error, status = rawget(table, b"err"), rawget(table, b"ok")
    if isinstance(error, bytes):
        return Failure(one_line(error))
    if isinstance(status, bytes):
        return Status(one_line(status))
    number = rawget(table, b"double")
    if isinstance(number, int | float) and not isinstance(number, bool):
        return b"%.17g" % number
    for name, width in ((b"map", 2), (b"set", 1)):
        members = rawget(table, name)
        if kind_of(members) == b"table":
            return [inner(one) for pair in members.items() for one in pair[:width]]
    text = rawget(table, b"big_number")
    if isinstance(text, bytes):
        return one_line(text)
    verbatim = rawget(table, b"verbatim_string")
    if kind_of(verbatim) == b"table" and isinstance(rawget(verbatim, b"string"), bytes):
        string: bytes = rawget(verbatim, b"string")
        return string
    return [inner(one) for one in _elements(rawget, table)]


def _elements(rawget: Any, table: Any) -> Iterator[Any]:
    """What stands at 1, 2 and so on, up to the first hole."""
    index = 1
    while (one := rawget(table, index)) is not None:
        yield one
        index += 1


def _integer(number: float) -> int:
    """A number cut to what C's ``long long`` takes of it; what does not fit is the least."""
    if number != number or not _LEAST <= number < -_LEAST:
        return _LEAST
    return int(number)


def one_line(text: bytes) -> bytes:
    """Text as a status or an error carries it."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def plain(reply: Reply) -> Any:
    """A reply as a client that decodes nothing gives it: errors inside it are exceptions."""
    if isinstance(reply, Failure):
        return ResponseError(reply.decode("utf-8", "replace"))
    if isinstance(reply, list):
        return [plain(one) for one in reply]
    return bytes(reply) if isinstance(reply, Status) else reply
