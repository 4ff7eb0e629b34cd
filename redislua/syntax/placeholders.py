"""Text that another program fills in before a server sees the script.

A template is one script per value: each has another sha1, a place of its own in the
server's cache, and whatever a value contains is run as Lua. Three places are told apart:

* code that Lua refuses (``local ttl = %d``): beyond doubt, since it is no Lua;
* strings (``redis.call('GET', '%s')``): only where nothing in the script itself can fill them
  in, as `string.format` and the pattern functions do, and never what Redis or Lua has a
  meaning of its own for: hash tags (``{id}``), ``{}``, ``$``, ``@name``, ``#{id}``;
* comments that include other files (``--- @include "x"``): the script is a part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from redislua.syntax.dialect import Spot
from redislua.syntax.tokens import COMMENT, LONG, NAME, STRING, Token, comments, tokens
from redislua.syntax.verdict import locate, verdict

__all__ = ["Placeholder", "Where", "directives", "placeholder_at", "placeholders"]

Where: TypeAlias = Literal["code", "string", "include"]

ROUNDS, EFFORT = 40, 1 << 19
"""How often a text is read again, and how many bytes in all, to find what else it holds."""
LARGE = 1 << 18
"""Bytes from which a text is not looked at: no script is that large."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place that another program fills in.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        text: The placeholder as it is written.
        language: Whose it is, in words.
        where: ``code``, ``string``, or ``include`` for a comment that brings in a file.
        instead: Bytes of the same length that Lua takes in its place, where it is code.
    """

    start: int
    end: int
    text: str
    language: str
    where: Where
    instead: bytes | None = None

    @property
    def message(self) -> str:
        """What it is, in one line."""
        if self.where == "include":
            return (
                f"`{self.text}` brings in another file: this is a part of a script, not the whole"
            )
        return (
            f"`{self.text}` is filled in by another program ({self.language}): this is a template"
        )


def placeholders(source: bytes, *, compiles: bool = False) -> tuple[Placeholder, ...]:
    """All places of a text that another program fills in, in order; any bytes may come.

    Args:
        source: The text.
        compiles: Whether Lua is known to take it, so that none can be in its code.
    """
    if len(source) > LARGE or not _HINT.search(source):
        return ()
    found = [
        *(() if compiles else _in_code(source)),
        *_in_strings(source, tokens(source)),
        *directives(source, comments(source)),
    ]
    return tuple(sorted(found, key=lambda one: one.start))


# --- code that Lua refuses -------------------------------------------------------------------

_CODE = tuple(
    (re.compile(form, re.DOTALL), language)
    for form, language in (
        (rb"<%[-=#]?.{0,2000}?%>", "ERB"),
        (rb"\{%.{0,2000}?%\}|\{\{.{0,500}?\}\}|\{#.{0,500}?#\}", "Jinja"),
        (rb"\$\{[^{}\r\n]{1,200}\}|\$[A-Za-z_][A-Za-z0-9_]*|\$[0-9]+", "a shell or JavaScript"),
        (rb"%\{[A-Za-z_]\w*\}|%<[A-Za-z_]\w*>[sdf]?", "Ruby"),
        (
            rb"%(?:[0-9]+\$|\([A-Za-z_]\w*\))?[-+0 #]*[0-9]*(?:\.[0-9]+)?[sdiufgxqr](?![A-Za-z0-9_])",
            "printf",
        ),
        (rb"@[A-Za-z_][A-Za-z0-9_]*", "StackExchange.Redis"),
        (rb"\{(?:[A-Za-z_][\w.]*(?:![rsa])?|[0-9]*)(?::[^{}\r\n]*)?\}", "format"),
    )
)


def placeholder_at(spot: Spot) -> Placeholder | None:
    """The placeholder at which Lua stopped, or None."""
    at = spot.token().start
    for by in (0, -1, -2):
        start = spot.token(by).start
        if by and spot.token(by).end != spot.token(by + 1).start:
            return None
        for form, language in _CODE:
            found = form.match(spot.source, start)
            if found is not None and found.end() > at:
                return _code(spot.source, found, language)
    return None


def _code(source: bytes, found: re.Match[bytes], language: str) -> Placeholder:
    start, end = found.span()
    name, blank = b"_" * (end - start), re.sub(rb"[^\r\n]", b" ", found[0])
    if b"\n" in found[0]:
        name = blank
    instead = max((name, blank), key=lambda one: _reach(source[:start] + one + source[end:]))
    return Placeholder(start, end, _shown(found[0]), language, "code", instead)


def _reach(text: bytes) -> int:
    """How far Lua reads a text."""
    refusal = verdict(text)
    if refusal is None or refusal.at_end:
        return len(text) + (refusal is None)
    read = tokens(text)
    index = locate(refusal, read)
    return read[index].start if index < len(read) else len(text)


def _in_code(source: bytes) -> Iterator[Placeholder]:
    text = source
    for _ in range(min(ROUNDS, 1 + EFFORT // (len(source) + 1))):
        refusal = verdict(text)
        if refusal is None:
            return
        read = tokens(text)
        found = placeholder_at(Spot(text, read, locate(refusal, read), refusal.words))
        if found is None or found.instead is None:
            return
        yield found
        text = text[: found.start] + found.instead + text[found.end :]


# --- strings ---------------------------------------------------------------------------------

_NAMED = rb"[A-Za-z_][\w.]*"
_ANYWHERE = re.compile(
    rb"(?P<erb><%[-=]?\s*[^%\r\n]{1,200}?\s*-?%>)|(?P<shell>(?<!%)\$\{" + _NAMED + rb"\})"
)
"""What no other language of Redis or Lua means anything by."""
_IN_COMMAND = re.compile(
    rb"(?P<printf>(?<![\w%])%(?:[0-9]+\$)?[sd](?![A-Za-z0-9_*+?-])|%\(" + _NAMED + rb"\)[sd])"
    rb"|(?P<jinja>\{\{\s*" + _NAMED + rb"\s*\}\})"
)
"""What only a command's argument would not hold: elsewhere a string may be a format."""
_LANGUAGES = {"erb": "ERB", "shell": "a shell or JavaScript", "printf": "printf", "jinja": "Jinja"}
_HINT = re.compile(rb"%[0-9sdiufgxqr({<%>]|\$|\{\{|\{%|\{#|<%|@|\{\w*[}:!.]")

_FILLS = frozenset(
    b"format gsub gmatch find match rep sub byte len lower upper reverse error log print".split()
)
"""Functions whose strings may be formats, patterns or prose."""
_COMMANDS = (b"call", b"pcall")
_OPEN, _CLOSE = (b"(", b"{", b"["), (b")", b"}", b"]")


def _in_strings(source: bytes, read: list[Token]) -> Iterator[Placeholder]:
    aliases = _aliases(source, read)
    fills = any(source[one.start : one.end] in (b"gsub", b"gmatch") for one in read)
    within: list[bytes] = []  # for each open bracket the function that is called, or nothing
    for index, token in enumerate(read):
        text = source[token.start : token.end]
        if text in _OPEN:
            within.append(_callee(source, read, index) if text == b"(" else b"")
        elif text in _CLOSE and within:
            within.pop()
        elif token.kind in (STRING, LONG) and not _is_receiver(source, read, index):
            inner = within[-1] if within else b""
            is_argument = inner in aliases and _is_operand(source, read, index)
            if is_argument or not (fills or _FILLS.intersection(within)):
                yield from _in_string(source, token, in_command=is_argument)


def _in_string(source: bytes, token: Token, *, in_command: bool) -> Iterator[Placeholder]:
    for form in (_ANYWHERE, _IN_COMMAND) if in_command else (_ANYWHERE,):
        for found in form.finditer(source, token.start, token.end):
            language = _LANGUAGES[found.lastgroup or "printf"]
            yield Placeholder(*found.span(), _shown(found[0]), language, "string")


def _aliases(source: bytes, read: list[Token]) -> set[bytes]:
    """Names by which commands are called: `redis.call`, and locals that hold it."""
    found = {b"redis.call", b"redis.pcall", b"server.call", b"server.pcall"}
    words = [source[one.start : one.end] for one in read]
    for index in range(len(words) - 4):
        if (
            words[index + 1] == b"="
            and words[index + 3] == b"."
            and b".".join((words[index + 2], words[index + 4])) in found
            and words[index + 5 : index + 6] != [b"("]
        ):
            found.add(words[index])
    return found


def _callee(source: bytes, read: list[Token], index: int) -> bytes:
    """The name that is called by the bracket at ``index``: ``redis.call``, or the last word."""
    words = [source[one.start : one.end] for one in read[max(0, index - 3) : index]]
    if not words or read[index - 1].kind != NAME:
        return b""
    if words[-1] in _COMMANDS and len(words) == 3 and words[1] == b".":
        return b".".join((words[0], words[2]))
    return words[-1]


def _is_receiver(source: bytes, read: list[Token], index: int) -> bool:
    """Whether the string is asked for a method, perhaps in brackets: ``('%s'):format(x)``."""
    after = [source[one.start : one.end] for one in read[index + 1 : index + 3]]
    return after[:1] == [b":"] or after == [b")", b":"]


def _is_operand(source: bytes, read: list[Token], index: int) -> bool:
    """Whether the string stands between commas, brackets and ``..`` alone."""
    before = source[read[index - 1].start : read[index - 1].end] if index else b""
    after = source[read[index + 1].start : read[index + 1].end] if index + 1 < len(read) else b""
    return before in (b"(", b",", b"..") and after in (b")", b",", b"..")


# --- comments --------------------------------------------------------------------------------

_DIRECTIVE = re.compile(
    rb"""--+\s*(?:@include\s+["'<][^"'>\r\n]+["'>]|\$include\([^)\r\n]+\)|\#include\s+["<][^">\r\n]+[">])\s*"""
)


def directives(source: bytes, found: Iterable[Token]) -> Iterator[Placeholder]:
    """Comments that bring in other files, among those of a text."""
    for comment in found:
        text = source[comment.start : comment.end]
        if comment.kind == COMMENT and _DIRECTIVE.fullmatch(text):
            shown = text.rstrip()
            end = comment.start + len(shown)
            yield Placeholder(comment.start, end, _shown(shown), "include", "include")


def _shown(text: bytes) -> str:
    shown = " ".join(text.decode("utf-8", "backslashreplace").split())
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
