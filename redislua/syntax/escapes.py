"""Escapes that Lua 5.1 reads as other text than newer ones: ``'\\x41'`` is ``x41``.

They compile, on every server, and nothing says that the string holds something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.syntax.foreign import Foreign
from redislua.syntax.tokens import STRING, Token

__all__ = ["SKIP", "escapes"]

SKIP = "`\\z` is Lua 5.2, and Lua 5.1 reads it as `z`: join the parts with `..`"

_ESCAPE = re.compile(
    rb"\\(?:x(?P<hex>[0-9a-fA-F]{2})|u\{(?P<point>[0-9a-fA-F]{1,8})\}|u(?P<json>[0-9a-fA-F]{4})"
    rb"|(?P<skip>z(?=[ \t\r\n]))|[^\d])",
    re.DOTALL,
)


def escapes(source: bytes, tokens: list[Token]) -> Iterator[Foreign]:
    """Find them in the quoted strings of a text; a long bracket has no escapes."""
    for token in tokens:
        if token.kind == STRING:
            for found in _ESCAPE.finditer(source, token.start, token.end):
                message = _escape_message(found)
                if message:
                    yield Foreign(found.start(), found.end(), message)


def _escape_message(found: re.Match[bytes]) -> str:
    shown = found[0].decode("utf-8", "replace")
    if found["skip"] is not None:
        return SKIP
    if found["hex"] is not None:
        text = bytes([int(found["hex"], 16)])
        return (
            f"`{shown}` is Lua 5.2, and Lua 5.1 reads it as `{shown[1:]}`: write {_decimal(text)}"
        )
    point = found["point"] or found["json"]
    if point is None:
        return ""
    number = int(point, 16)
    language = "Lua 5.3" if found["point"] is not None else "of JSON"
    remedy = "write its bytes as decimal escapes"
    if number < 0x110000 and not 0xD800 <= number < 0xE000:
        remedy = f"write {_decimal(chr(number).encode())}"
    return f"`{shown}` is {language}, and Lua 5.1 reads it as `{shown[1:]}`: {remedy}"


def _decimal(text: bytes) -> str:
    return "".join(f"\\{byte:03d}" for byte in text)
