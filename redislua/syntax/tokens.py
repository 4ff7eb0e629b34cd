"""Lua 5.1's tokens with their places, cut as its own lexer cuts them.

What is no token of Lua comes out as `OTHER`, one byte at a time; a string or a long
bracket that is not closed reaches to where Lua gives up. Any bytes can be read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = [
    "COMMENT",
    "KEYWORDS",
    "LONG",
    "NAME",
    "NUMBER",
    "OTHER",
    "STRING",
    "SYMBOL",
    "TOKEN",
    "Token",
    "comments",
    "tokens",
]

COMMENT, LONG, NAME, NUMBER, STRING, SYMBOL, OTHER = (
    "comment",
    "long",
    "name",
    "number",
    "string",
    "symbol",
    "other",
)

KEYWORDS = frozenset(
    b"and break do else elseif end false for function if in local nil not or repeat return then "
    b"true until while".split()
)

TOKEN = re.compile(
    rb"""
      (?P<space>[ \t\r\n\v\f]++)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<comment>--\[(?P<dashed>=*)\[.*?(?:\](?P=dashed)\]|\Z)|--[^\r\n]*+)
    | (?P<long>\[(?P<level>=*)\[.*?(?:\](?P=level)\]|\Z))
    # A malformed number is one token too: Lua takes all letters and digits that follow.
    | (?P<number>\.?[0-9][0-9.]*+(?:[Ee][+-]?)?[A-Za-z0-9_]*+)
    | (?P<string>"[^"\\\r\n]*+(?:\\(?:\r\n|\n\r|.|\Z)[^"\\\r\n]*+)*+"?
                |'[^'\\\r\n]*+(?:\\(?:\r\n|\n\r|.|\Z)[^'\\\r\n]*+)*+'?)
    | (?P<symbol>\.\.\.|\.\.|[=~<>]=|\[=+(?!\[)|[-+*/%^\#<>=(){}\[\];:,.])
    | (?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """One token: its class and its bytes, from ``start`` up to ``end``."""

    kind: str
    start: int
    end: int


def tokens(source: bytes) -> list[Token]:
    """Cut a text into tokens, without spaces and comments. The shebang is none of Lua's."""
    return [
        Token(kind, *found.span())
        for found in TOKEN.finditer(source, _behind_shebang(source))
        if (kind := found.lastgroup or OTHER) not in ("space", COMMENT)
    ]


def comments(source: bytes) -> list[Token]:
    """All comments of a text, in order."""
    return [
        Token(COMMENT, found.start(), found.end())
        for found in TOKEN.finditer(source, _behind_shebang(source))
        if found.lastgroup == COMMENT
    ]


def _behind_shebang(source: bytes) -> int:
    if not source.startswith(b"#!"):
        return 0
    newline = source.find(b"\n")
    return len(source) if newline < 0 else newline
