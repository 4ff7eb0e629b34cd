"""Where servers and stock Lua 5.1 differ: ``[[`` inside ``[[ ]]``.

Stock Lua refuses it as deprecated nesting; Redis and Valkey are built to take it for
text. The gate compiles with stock Lua, so such text is made harmless first. It is
compiled and never run: what the string holds does not matter, its length does.
"""

from __future__ import annotations


def flatten_nested(source: bytes) -> bytes:
    """Return the source with each ``[[`` inside a ``[[ ]]`` written as ``[ ``."""
    found = bytearray(source)
    at = 0
    while at < len(found):
        if found[at : at + 2] == b"--":
            at = _comment(found, at + 2)
        elif found[at] in b"'\"":
            at = _quoted(found, at)
        elif found[at] == ord("["):
            at = _bracket(found, at)
        else:
            at += 1
    return bytes(found)


def _comment(found: bytearray, at: int) -> int:
    """Pass a comment whose dashes end at ``at``."""
    end = _bracket(found, at)
    if end > at + 1:
        return end
    newline = found.find(b"\n", at)
    return len(found) if newline < 0 else newline + 1


def _quoted(found: bytearray, at: int) -> int:
    """Pass a string in quotes; a line's end ends it, as an error that Lua reports."""
    quote = found[at]
    at += 1
    while at < len(found) and found[at] != quote and found[at] != ord("\n"):
        at += 2 if found[at] == ord("\\") else 1
    return at + 1


def _bracket(found: bytearray, at: int) -> int:
    """Pass a long bracket that opens at ``at``, flattening one of level 0; else one byte."""
    level = at + 1
    while level < len(found) and found[level] == ord("="):
        level += 1
    if found[at : at + 1] != b"[" or found[level : level + 1] != b"[":
        return at + 1
    close = found.find(b"]" + b"=" * (level - at - 1) + b"]", level + 1)
    end = len(found) if close < 0 else close
    if level == at + 1:
        found[level + 1 : end] = found[level + 1 : end].replace(b"[[", b"[ ")
    return end + (level - at + 1)
