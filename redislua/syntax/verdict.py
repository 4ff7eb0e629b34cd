"""The server's verdict on syntax, without a server: Lua 5.1's own parser, through lupa.

A chunk is compiled and never run. lupa's default runtime reaches Python from Lua,
so running anything here would be code execution at build time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from redislua.syntax.brackets import flatten_nested
from redislua.syntax.tokens import LONG, Token

__all__ = ["Refusal", "locate", "restored", "stop", "verdict"]

_CHUNK = b"=user_script"
_MESSAGE = re.compile(rb"user_script:(\d+): (.*)", re.DOTALL)
_NEWLINE = re.compile(rb"\r\n|\n\r|\r|\n")

_LIMITS_OF_NAMES = (b"local variables", b"upvalues")
"""Limits that Lua finds exceeded when it has already read the token behind the name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Lua does not compile a text.

    Attributes:
        words: What the server says, without its framing, as bytes.
        line: The line that it names, from 1: where it stopped reading.
        body: What was compiled: the text without its shebang, as long as the text.
    """

    words: bytes
    line: int
    body: bytes

    @property
    def at_end(self) -> bool:
        """Whether the text ends too early."""
        return self.words.endswith(b"near '<eof>'")


def verdict(source: bytes) -> Refusal | None:
    """Compile a text as the server would; None if it compiles.

    The shebang is no Lua: the server takes it away, keeping its newline, and so does
    this, with blanks in its place. Bytecode is never handed to Lua, which would read it:
    a server takes its first byte for text, and refuses that.
    """
    body = source
    if body.startswith(b"\x1b"):
        return Refusal(b"unexpected symbol near 'char(27)'", 1, b"\1" + body[1:])
    if body.startswith(b"#!"):
        newline = body.find(b"\n")
        size = len(body) if newline < 0 else newline
        body = b" " * size + body[size:]
    body = flatten_nested(body)
    failure = _lua()[0](body, _CHUNK)
    if failure is None:
        return None
    found = _MESSAGE.fullmatch(failure)
    if found is None:  # what has no place: too little memory
        return Refusal(failure, 1, body)
    return Refusal(found[2], int(found[1]), body)


def stop(refusal: Refusal) -> int:
    """The offset behind the token at which Lua stopped reading.

    Lua is given the line byte by byte, and asked how many it took: it reads one byte
    past the token that it complains of, whatever else looks like it in the line.
    """
    size = len(refusal.body)
    if refusal.at_end:
        return size
    taken: int = _lua()[1](refusal.body, _line_start(refusal.body, refusal.line), _CHUNK)
    return taken - 1


def locate(refusal: Refusal, tokens: list[Token]) -> int:
    """The index of the token at which Lua stopped reading; their number means the end.

    A string that is not closed is a token, a comment is none.
    """
    if refusal.at_end:
        return len(tokens) - refusal.words.startswith((b"unfinished string", b"unfinished long s"))
    index = bisect_left(tokens, stop(refusal), key=attrgetter("end"))
    return index - 1 if index and refusal.words.endswith(_LIMITS_OF_NAMES) else index


def _line_start(body: bytes, line: int) -> int:
    """Offset at which a line begins as Lua counts them: LF, CR and each pair end one."""
    at = 0
    for number, newline in enumerate(_NEWLINE.finditer(body), 2):
        if number > line:
            break
        at = newline.end()
    return at


@cache
def _lua() -> Any:
    """Two Lua functions.

    The first compiles text and returns the error message, or nothing. The second
    compiles it from its ``from``-th byte on byte by byte, and returns how many were read;
    one more than there are if Lua met the end.
    """
    import lupa.lua51  # a C extension: only what compiles pays for it

    runtime = lupa.lua51.LuaRuntime(
        encoding=None, register_eval=False, register_builtins=False, unpack_returned_tuples=True
    )
    return runtime.execute(
        b"""
        local loadstring, load, sub = loadstring, load, string.sub
        local function compile(text, name)
            local chunk, message = loadstring(text, name)
            if not chunk then return message end
        end
        local function count(text, from, name)
            local at, size, whole = from, #text, from > 0
            load(function()
                if whole then
                    whole = false
                    return sub(text, 1, from)
                end
                at = at + 1
                if at <= size then return sub(text, at, at) end
            end, name)
            return at
        end
        return compile, count
        """
    )


def restored(refusal: Refusal, source: bytes, token: Token | None) -> bytes:
    """The words of a refusal, with a flattened ``[[`` written as the server shows it."""
    if token is None or token.kind != LONG or b" near '[[" not in refusal.words:
        return refusal.words
    head = refusal.words.partition(b" near '")[0]
    text = _NEWLINE.sub(b"\n", source[token.start : token.end])
    return head + b" near '" + text[:2] + text[2:].removeprefix(b"\n").split(b"\0")[0] + b"'"
