"""What a command's reply is in Lua, as the command table says."""

from __future__ import annotations

from functools import cache

from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Origin, Value

__all__ = ["SCANS", "reply_value", "scan_part"]

_UNKNOWN = Value(Origin.STORED, Kind.ANY & ~Kind.NIL, is_whole=False)

_PLAIN = {
    "integer": Value(Origin.STORED, Kind.NUMBER),
    "string": Value(Origin.STORED, Kind.STRING),
    "double": Value(Origin.STORED, Kind.STRING, is_whole=False),
    "status": Value(Origin.STORED, Kind.TABLE),
    "nested": Value(Origin.STORED, Kind.TABLE, element=_UNKNOWN),
}

SCANS = ("HSCAN", "SCAN", "SSCAN", "ZSCAN")
"""Commands that reply with a cursor and a table."""

_SECONDS = Value(Origin.TIME, Kind.STRING, size=1.8e9)
_TIME = Value(Origin.TIME, Kind.TABLE, element=_SECONDS)


def reply_value(command: CommandCall) -> Value:
    """What is known of a reply, under RESP2."""
    row = command.row
    if row is None:
        value = _UNKNOWN
    elif command.name == "TIME":
        value = _TIME
    else:
        value = _known(row.reply_to(command.words(), is_open=command.is_open), row.items)
    if command.is_protected:
        value = value.but(kind=value.kind | Kind.TABLE, can_fail=True)
    return value.replied_by(command)


def scan_part(index: object) -> Value:
    """An element of a scan's reply: the cursor, which is text, or the table."""
    cursor = _PLAIN["string"]
    if index == 1:
        return cursor
    return _PLAIN["nested"].but(element=cursor) if index == 2 else _UNKNOWN


@cache
def _known(reply: str, items: str) -> Value:
    value = _of(reply)
    return value.but(element=_of(items)) if reply.removesuffix("?") == "array" else value


def _of(reply: str) -> Value:
    if reply.removesuffix("?") == "array":
        found = Value(Origin.STORED, Kind.TABLE)
    else:
        found = _PLAIN.get(reply.removesuffix("?"), _UNKNOWN)
    return found.but(kind=found.kind | Kind.FALSE) if reply.endswith("?") else found
