"""What a command's reply is in Lua, as the command table says."""

from __future__ import annotations

from dataclasses import replace

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
        reply = row.reply_to(command.words(), is_open=command.is_open)
        value = _of(reply)
        if reply.removesuffix("?") == "array":
            value = replace(value, element=_of(row.items))
    if command.is_protected:
        value = replace(value, kind=value.kind | Kind.TABLE, can_fail=True)
    return replace(value, reply=command)


def scan_part(index: object) -> Value:
    """An element of a scan's reply: the cursor, which is text, or the table."""
    cursor = _PLAIN["string"]
    if index == 1:
        return cursor
    return replace(_PLAIN["nested"], element=cursor) if index == 2 else _UNKNOWN


def _of(reply: str) -> Value:
    if reply.removesuffix("?") == "array":
        found = Value(Origin.STORED, Kind.TABLE)
    else:
        found = _PLAIN.get(reply.removesuffix("?"), _UNKNOWN)
    return replace(found, kind=found.kind | Kind.FALSE) if reply.endswith("?") else found
