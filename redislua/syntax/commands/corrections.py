"""Where servers read the arguments of a command in another way than they describe them.

Kept by hand, and tested on live servers: whatever is called wrong here, they refuse.
"""

from __future__ import annotations

__all__ = ["APART", "SYNTAX", "TOGETHER", "type_of"]

_RANGES = (
    "{0} (start:integer stop:integer [REV]{1}"
    "|start:bound stop:bound {{BYSCORE}} [REV] [LIMIT offset:integer count:integer]{1}"
    "|start:lex stop:lex {{BYLEX}} [REV] [LIMIT offset:integer count:integer])"
)

SYNTAX = {
    "BITFIELD": "key:key [(GET encoding:encoding offset:offset"
    "|SET encoding:encoding offset:offset value:integer"
    "|INCRBY encoding:encoding offset:offset increment:integer"
    "|OVERFLOW (WRAP|SAT|FAIL))...]",
    "BITFIELD_RO": "key:key [(GET encoding:encoding offset:offset)...]",
    "LOLWUT": "",
    "MIGRATE": "",
    "XCLAIM": "key:key group:string consumer:string min-idle-time:integer [id:entry...]"
    " [IDLE ms:integer] [TIME at:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID]"
    " [LASTID lastid:entry]",
    "XPENDING": "key:key group:string [[IDLE min-idle-time:integer] start:entry-bound"
    " end:entry-bound count:integer [consumer:string...]]",
    "ZRANGE": _RANGES.format("key:key", " [WITHSCORES]"),
    "ZRANGESTORE": _RANGES.format("dst:key src:key", ""),
}
"""Grammars that servers describe in another way than they read calls; ``""`` for any words.
Between braces stands an option that must be there, wherever among the others."""

_EXPIRING = (("XX", "GT"), ("XX", "LT"))
_SORTING = (("ASC", "DESC"),)

TOGETHER: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("EXPIRE", "EXPIREAT", "PEXPIRE", "PEXPIREAT"), _EXPIRING),
    **dict.fromkeys(("HEXPIRE", "HEXPIREAT", "HPEXPIRE", "HPEXPIREAT"), _EXPIRING),
    **dict.fromkeys(("GEORADIUS", "GEORADIUSBYMEMBER"), (*_SORTING, ("STORE", "STOREDIST"))),
    **dict.fromkeys(("GEORADIUS_RO", "GEORADIUSBYMEMBER_RO", "SORT", "SORT_RO"), _SORTING),
    **dict.fromkeys(("GEOSEARCH", "GEOSEARCHSTORE"), _SORTING),
}
"""Options that the documentation takes for alternatives, and that servers take together."""

APART: dict[str, tuple[tuple[str, str], ...]] = {
    "LCS": (("LEN", "IDX"),),
    "RESTORE": (("IDLETIME", "FREQ"),),
    "ZADD": (("NX", "GT"), ("NX", "LT")),
}
"""Options that servers refuse together although the documentation does not say so."""

_STREAMS = {
    "XADD": {"id": "new-entry"},
    "XAUTOCLAIM": {"start": "entry-bound"},
    "XGROUP CREATE": {"id": "entry-sign"},
    "XGROUP SETID": {"id": "entry-sign"},
    "XRANGE": {"start": "entry-bound", "end": "entry-bound"},
    "XREAD": {"id": "entry-sign"},
    "XREADGROUP": {"id": "entry-sign"},
    "XREVRANGE": {"start": "entry-bound", "end": "entry-bound"},
}
_ENTRIES = frozenset({"id", "last-id", "lastid", "max-deleted-id", "threshold"})
_LASTING = frozenset({"GETEX", "HGETEX", "HSETEX", "MSETEX", "PSETEX", "SET", "SETEX"})
_SCANS = frozenset({"HSCAN", "SCAN", "SSCAN", "ZSCAN"})
_ANYWHERE = {"min-idle-time": "integer", "weight": "double"}
_OF_ONE = {
    ("BITPOS", "bit"): "bit",
    ("SETBIT", "value"): "bit",
    ("ZINCRBY", "increment"): "double",
}


def type_of(command: str, name: str, kind: str) -> str:
    """The type of an argument where that is narrower, or wider, than what servers say."""
    if command[0] == "X" and kind == "string" and (name in _ENTRIES or command in _STREAMS):
        found = _STREAMS.get(command, {}).get(name)
        kind = found or ("entry" if name in _ENTRIES else kind)
    if command[0] == "Z" and name in ("min", "max"):
        return "lex" if command.endswith(("LEX", "LEXCOUNT")) else "bound"
    if command in _LASTING and kind in ("integer", "unix-time") and "seconds" in name:
        return "positive"
    if command in _SCANS and name == "cursor":
        return "cursor"
    if (command in _SCANS and name == "count") or (name == "numkeys" and kind == "integer"):
        return "positive"
    return _OF_ONE.get((command, name), _ANYWHERE.get(name, kind))
