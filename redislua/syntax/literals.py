"""Strings and numbers of Lua 5.1, from how they are written to what they are."""

from __future__ import annotations

import re

__all__ = ["number_of", "readable", "unescaped"]

_ESCAPE = re.compile(rb"\\(\d{1,3}|\r\n|\n\r|.)", re.DOTALL)

_TEXT = re.compile(
    rb"""--\[(=*)\[.*?\]\1\] | --[^\n]* | \[(=*)\[.*?\]\2\]
       | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" """,
    re.DOTALL | re.VERBOSE,
)

_STRANGE = re.compile(rb"\\[^\dabfnrtv\\'\"\n\r]")

_NAMED = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def unescaped(text: bytes) -> bytes:
    """The bytes of a string in quotes, given what stands between them.

    Lua 5.1 knows no ``\\x`` and no ``\\u``: an unknown escape is its letter.
    """
    return _ESCAPE.sub(_byte, text) if b"\\" in text else text


def _byte(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape.isdigit():
        return bytes([min(int(escape), 255)])
    return _NAMED.get(escape, b"\n" if escape in (b"\r\n", b"\n\r") else escape)


def number_of(text: bytes) -> float | None:
    """A number as ``tonumber`` reads it; None where it reads none."""
    if text.isdigit():  # most are
        return float(text)
    word = text.strip().lower()
    try:
        if word.startswith((b"0x", b"-0x", b"+0x")):
            return float.fromhex(word.decode("ascii"))
        if b"_" in word or b"n" in word:  # Python's 1_000, inf and nan
            return None
        return float(word)
    except (ValueError, OverflowError, UnicodeDecodeError):
        return None


def readable(source: bytes) -> bytes:
    """The same text for a stricter grammar, byte for byte as long.

    Escapes that Lua 5.1 takes for their letter, and NUL, become others in strings.
    """

    def strict(match: re.Match[bytes]) -> bytes:
        text = match[0]
        if text[:1] in (b"'", b'"'):
            text = _STRANGE.sub(rb"\\n", text)
        return text.replace(b"\0", b" ")

    return _TEXT.sub(strict, source)
