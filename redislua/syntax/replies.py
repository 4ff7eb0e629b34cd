"""What a command's reply is in Lua, as the command table says."""

from __future__ import annotations

from functools import cache

from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Origin, Value, joined

__all__ = ["SCANS", "reply_or_error", "reply_value", "scan_part"]

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


def _array(*items: Value) -> Value:
    """An array of which each element is one of these."""
    return Value(Origin.STORED, Kind.TABLE, element=joined(items))


_TEXT = _PLAIN["string"]
_TEXTS = _array(_TEXT)
_ENTRY = _array(_TEXT, _TEXTS)  # an ID, and fields and values in turns
_ROWS = {
    "GEOPOS": _TEXTS.but(kind=Kind.TABLE | Kind.FALSE),
    "LMPOP": joined((_TEXT, _TEXTS)),
    "XCLAIM": _ENTRY.but(kind=Kind.TABLE | Kind.FALSE),
    "XRANGE": _ENTRY,
    "XREAD": _array(_TEXT, _array(_ENTRY)),
    "XREADGROUP": _array(_TEXT, _array(_ENTRY)),
    "XREVRANGE": _ENTRY,
    "ZMPOP": joined((_TEXT, _array(_TEXTS))),
}
"""What each element of a nested reply is, where all are alike."""

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
        if value.element is _UNKNOWN:
            value = value.but(element=_row(command))
    if command.is_protected:
        value = value.but(kind=value.kind | Kind.TABLE, can_fail=True)
    return value.replied_by(command)


def reply_or_error(command: CommandCall) -> Value:
    """What Lua's ``pcall`` gives for a command: its reply, or the text of an error."""
    value = reply_value(command)
    return value.but(kind=value.kind | Kind.STRING, reply=None)


def _row(command: CommandCall) -> Value:
    """What an element of a nested reply is."""
    name = command.name or ""
    if not name.startswith("GEO") or name == "GEOPOS" or command.is_open:
        return _ROWS.get(name, _UNKNOWN)
    parts = [_TEXT]  # the member, and a distance
    if command.has_word("WITHHASH"):
        parts.append(_PLAIN["integer"])
    if command.has_word("WITHCOORD"):
        parts.append(_TEXTS)
    # A member that stands for a number is whole or not: what is calculated with is a distance.
    row = _array(*parts)
    return row.but(element=joined(parts).but(is_whole=False))


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
