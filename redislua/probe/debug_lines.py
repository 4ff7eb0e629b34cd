"""What the server's Lua debugger prints, read into events.

After each of its commands the debugger sends one array of status lines. They differ
among servers: a called command is ``<redis>`` in Redis and ``<command>`` in Valkey; the
``<error>`` of a call stands before its ``<reply>`` or, in Valkey 9, behind it; a command
that is refused outright has no ``<reply>`` in most. In all of them a newline in a line
is a blank, a command is cut behind its tenth word, and Valkey 9 cuts a line at a NUL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import redis

END = b"<endsession>"
"""The last line of a session; the reply of the script follows it."""

_STOPPED = re.compile(r"\* Stopped at (\d+), stop reason = (.*)")
_TAGGED = re.compile(r"<(redis|command|reply|error|debug|value|retval)> ?(.*)", re.DOTALL)
_FRAME = re.compile(r"(?:In|From) (.*):")
_AT = re.compile(r"->[ #]\d")
_SOURCE = re.compile(r"(?:->|  )[ #](\d+)(?: |$)")


@dataclass(frozen=True, slots=True)
class Stop:
    """The script is about to run a line.

    Attributes:
        number: The line, from 1; that of the ``#!lua`` is 1.
        reason: ``step over``, ``break point``, ``timeout reached, infinite loop?`` or
            ``redis.breakpoint() called``.
    """

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Command:
    """The script called a command.

    Attributes:
        text: The command's words with blanks between them, unquoted and cut behind the
            tenth: for reading, not for parsing.
        reply: What came back as the debugger writes it: ``"bulk"``, ``"+OK"``, ``3``,
            ``["a",NULL]``; or None where the command was refused before it ran.
        error: The error's text, or ``""``.
        us: The server's microseconds for it in undisturbed runs, where they were measured
            (`redislua.probe.debug_timing`); the debugger has none.
    """

    text: str
    reply: str | None = None
    error: str = ""
    us: float | None = None

    @property
    def name(self) -> str:
        """The command's first word in capitals."""
        return self.text.split(" ", 1)[0].upper()


@dataclass(frozen=True, slots=True)
class Said:
    """A line of text.

    Attributes:
        kind: ``debug`` from ``redis.debug``, ``error``, ``value`` in answer to a question,
            or ``""`` for any other.
        text: The text.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class End:
    """The script ended.

    Attributes:
        reply: Its raw reply; None with an error.
        error: The error that it ended with, or None.
    """

    reply: Any = None
    error: redis.ResponseError | None = None


Event: TypeAlias = Stop | Command | Said | End


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of the call stack.

    Attributes:
        function: The function's name, ``top level`` for the script itself.
        number: The line it is at.
    """

    function: str
    number: int


def shown(raw: bytes) -> str:
    r"""Decode text for people; what no terminal should get is written ``\x1b``."""
    text = raw.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(_char(char) for char in text)


def _char(char: str) -> str:
    if char.isprintable() or char == "\t":
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def events(logs: Iterable[bytes]) -> list[Event]:
    """Read what the debugger sent after one command, without the end of the session."""
    found: list[Event] = []
    for raw in logs:
        line = shown(raw)
        stopped = _STOPPED.fullmatch(line)
        if stopped:
            found.append(Stop(int(stopped[1]), stopped[2]))
        elif raw != END and not _AT.match(line):
            _add(found, line)
    return found


def _add(found: list[Event], line: str) -> None:
    tagged = _TAGGED.fullmatch(line)
    if tagged is None:
        found.append(Said("", line))
        return
    tag, text = tagged[1], tagged[2].rstrip()
    last = found[-1] if found else None
    if tag in ("redis", "command"):
        found.append(Command(text))
    elif tag == "reply" and isinstance(last, Command) and last.reply is None:
        found[-1] = replace(last, reply=text)
    elif tag == "error" and isinstance(last, Command) and _can_have_failed(last):
        found[-1] = replace(last, error=text.removeprefix("-"))
    else:
        found.append(Said("value" if tag == "retval" else tag, text))


def _can_have_failed(command: Command) -> bool:
    """Whether an error that follows is the command's own; Lua raises errors of its own too."""
    return not command.error and (command.reply is None or command.reply.startswith('"-'))


def frames(logs: Iterable[bytes]) -> list[Frame]:
    """Read the answer to ``trace``: the call stack, the innermost function first."""
    found: list[Frame] = []
    function = ""
    for line in map(shown, logs):
        named, at = _FRAME.fullmatch(line), _SOURCE.match(line)
        if at:
            found.append(Frame(function, int(at[1])))
        elif named:
            function = named[1]
    return found
