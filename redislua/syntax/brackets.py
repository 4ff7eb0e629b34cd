"""Where servers and stock Lua 5.1 differ: ``[[`` inside ``[[ ]]``.

Stock Lua refuses it as deprecated nesting; Redis and Valkey are built to take it for
text. The gate compiles with stock Lua, so such text is made harmless first. It is
compiled and never run: what the string holds does not matter, its length does.
"""

from __future__ import annotations

from redislua.syntax.tokens import COMMENT, LONG, TOKEN


def flatten_nested(source: bytes) -> bytes:
    """Return the source with each ``[[`` inside a ``[[ ]]`` written as ``[ ``."""
    if all(b"]]" in between for between in source.split(b"[[")[1:-1]):
        return source  # one that is inside another is before its end
    found = bytearray(source)
    for token in TOKEN.finditer(source):
        if token.lastgroup == LONG or (token.lastgroup == COMMENT and token["dashed"] is not None):
            opens = token.start() + (2 if token.lastgroup == COMMENT else 0)
            if found[opens : opens + 2] == b"[[":
                body = slice(opens + 2, token.end())
                found[body] = found[body].replace(b"[[", b"[ ")
    return bytes(found)
