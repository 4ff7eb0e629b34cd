"""What a server would say of a text's syntax, and what is behind it: without a server.

`redislua.syntax.verdict` gives the server's own words. Where they mean the syntax of another
language, or a template that a program has still to fill in, the problem is called by its name;
that place is then made harmless, and the text judged again, so that one run names them all.
"""

from __future__ import annotations

import re

from redislua.errors import HeaderError
from redislua.syntax.dialect import Spot, foreign
from redislua.syntax.escapes import escapes
from redislua.syntax.foreign import Foreign
from redislua.syntax.placeholders import Placeholder, directives, placeholder_at
from redislua.syntax.problem import Kind, SyntaxProblem, problem_at
from redislua.syntax.tokens import Token, comments, tokens
from redislua.syntax.verdict import Refusal, locate, restored, stop, verdict

__all__ = ["compile_error", "problems"]

LARGE = 1 << 18
"""Bytes from which only the server's verdict and its place are given: a script has some 2,000."""

_ROUNDS = 40
_EFFORT = 1 << 19
"""Bytes that are read again and again before what is left goes without a name."""
_SHOWN = 160
"""Characters of the server's words that are shown: a token may be a whole file."""
_NEAR = re.compile(rb" near '(.*)'\Z", re.DOTALL)
_ESCAPES = re.compile(rb"\\[xzu]")
_BEGINNINGS = (
    (b"\x1b", "the file is Lua bytecode"),
    (b"\xef\xbb\xbf", "the file begins with a byte order mark, which Lua does not pass over"),
    (b"\xff\xfe", "the file is UTF-16, not UTF-8"),
    (b"\xfe\xff", "the file is UTF-16, not UTF-8"),
)


def problems(source: bytes) -> tuple[SyntaxProblem, ...]:
    """Return what is wrong with a script's syntax, in order of place.

    A text that a server compiles has no problem but escapes that it reads otherwise than
    they are written (``dialect``). Any bytes may come, and nothing of them is run.
    """
    for beginning, message in _BEGINNINGS:
        if source.startswith(beginning):
            return (SyntaxProblem(message, 1, 1, 1, "file"),)
    refusal = verdict(source)
    found = [] if refusal is None else _explained(source, refusal)
    if len(source) <= LARGE and _ESCAPES.search(source):
        silent = [_problem(source, one) for one in escapes(source, tokens(source))]
        found += [problem for problem in silent if problem not in found]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def compile_error(file: str, source: bytes) -> HeaderError | None:
    """Compile a script as the server would, and return the first thing wrong with it.

    Line numbers are those of the file.
    """
    if source.startswith(b"\x1b"):
        return HeaderError(file, "the file is Lua bytecode", "Lua source text")
    refusal = verdict(source)
    if refusal is None:
        return None
    first = _explained(source, refusal, rounds=1)[0]
    words, expected = first.message, "a script that Lua 5.1 compiles"
    if first.kind != "syntax":
        words, expected = _readable(refusal.words), first.message
    return HeaderError(
        file,
        words,
        expected,
        line=first.line,
        column=first.column,
        width=first.width,
        text=source.split(b"\n")[first.line - 1].decode("utf-8", "replace"),
    )


def _explained(source: bytes, refusal: Refusal, rounds: int = _ROUNDS) -> list[SyntaxProblem]:
    """Name what Lua refuses, one place after the other, until it accepts or has no name."""
    if len(source) > LARGE:
        return [_located(source, refusal)]
    found: list[SyntaxProblem] = []
    text, last = source, -1
    for _ in range(min(rounds, 1 + _EFFORT // (len(source) + 1))):
        read = tokens(text)
        spot = Spot(text, read, locate(refusal, read), refusal.words)
        named: Foreign | Placeholder | None = placeholder_at(spot) or foreign(spot)
        if named is None or named.start <= last:
            found.append(_plain(source, refusal, spot))
            break
        found.append(_problem(source, named))
        next_text = _repaired(text, named)
        if next_text is None:
            break
        text, last = next_text, named.start
        again = verdict(text)
        if again is None:
            break
        refusal = again
    if found[-1].kind == "syntax":
        found += [_problem(source, one) for one in directives(source, comments(source))]
    return found


def _repaired(text: bytes, named: Foreign | Placeholder) -> bytes | None:
    """The text with something of the same length that Lua takes in that place."""
    if named.instead is None:
        return None
    size = len(named.instead)
    return text[: named.start] + named.instead + text[named.start + size :]


def _problem(source: bytes, named: Foreign | Placeholder) -> SyntaxProblem:
    kind: Kind = "dialect" if isinstance(named, Foreign) else "file"
    return problem_at(source, named.start, named.end, named.message, kind)


def _plain(source: bytes, refusal: Refusal, spot: Spot) -> SyntaxProblem:
    """The server's words, at the token that they mean."""
    token: Token | None = spot.token() if spot.index < len(spot.tokens) else None
    words = restored(refusal, source, token)
    start, end = spot.token().start, spot.token().end
    if words.startswith(b"unfinished long comment"):
        start, end = comments(spot.source)[-1][1:]
    elif words.startswith(b"escape sequence"):
        end = stop(refusal)
        start = source.rfind(b"\\", start, end)
    elif token is not None and source[start] >= 0x80:
        end = _character_end(source, start)
        words = _NEAR.sub(b"", words) + b" near '" + source[start:end] + b"'"
    elif words == b"unexpected symbol":
        words = b"unexpected symbol near a NUL byte"
    return problem_at(source, start, end, _readable(words), "syntax")


def _located(source: bytes, refusal: Refusal) -> SyntaxProblem:
    """The server's words and their place in a large file, which is not cut into tokens."""
    end = stop(refusal)
    near = _NEAR.search(refusal.words)
    size = len(near[1]) if near and not refusal.at_end else 1
    start = end if refusal.at_end else max(0, end - size)
    return problem_at(source, start, end, _readable(refusal.words), "syntax")


def _character_end(source: bytes, start: int) -> int:
    """Where the UTF-8 character that begins at ``start`` ends; one byte if it is none."""
    for size in (2, 3, 4):
        try:
            source[start : start + size].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return min(start + size, len(source))
    return start + 1


def _readable(words: bytes) -> str:
    """A message in one line; bytes that are no text are written as escapes."""
    text = words.decode("utf-8", "backslashreplace").replace("\r", " ").replace("\n", " ")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
