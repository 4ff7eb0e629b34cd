"""What is run, and what became of it: values of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis

from redislua.errors import RedisLuaError, UnexpectedReplyError
from redislua.probe.engine.branches import Fork, forks, watched
from redislua.probe.engine.lines import blanked, executable
from redislua.runtime.call import Call
from redislua.runtime.outcome import answered
from redislua.syntax.chunk import Chunk, parse
from redislua.syntax.commands.keys import upper

__all__ = ["Copy", "Fault", "NotOffered", "Run", "Sent", "TooLong", "copy_of", "missing_libraries"]

LIBRARIES = ("bit", "cjson", "cmsgpack", "struct")


class NotOffered(RedisLuaError):
    """The script uses a library of the server that the engine does not have."""

    def __init__(self, script: str, library: str) -> None:
        super().__init__(script, library)
        self.script = script
        self.library = library

    def __str__(self) -> str:
        return f"{self.script}: VM instructions not counted: it uses {self.library}"


class TooLong(RedisLuaError):
    """A script ran more instructions than it is given. What it wrote stays.

    Attributes:
        instructions: How many it was given.
        line: Where it was.
    """

    def __init__(self, script: str, instructions: int, line: int) -> None:
        super().__init__(script, instructions, line)
        self.script = script
        self.instructions = instructions
        self.line = line

    def __str__(self) -> str:
        return (
            f"{self.script}: still running after {self.instructions:_} instructions, "
            f"on line {self.line}: does a loop never end?"
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One command fails instead of being run.

    Attributes:
        at: Which one, from 1.
        error: Its error reply, the code first.
    """

    at: int
    error: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that the script called.

    Attributes:
        words: The command and its arguments.
        line: On which line.
        error: Its error reply, or ``b""``.
    """

    words: tuple[bytes, ...]
    line: int
    error: bytes = b""

    @property
    def name(self) -> str:
        """The command in upper case."""
        return upper(self.words[0]) if self.words else ""

    @property
    def text(self) -> str:
        """The command as people read it, cut at 100 characters."""
        text = " ".join([self.name, *(repr(word)[1:] for word in self.words[1:])])
        return text if len(text) <= 100 else f"{text[:99]}…"


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one call.

    Attributes:
        call: The call.
        reply: The raw reply, as a client that decodes nothing gives it; None with an error.
        error: The error reply, its code first; ``b""`` with a reply.
        instructions: How many the script ran; None where they were not counted.
        lines: How often each line was begun; empty where lines were not watched.
        ways: How often each fork was left in each way, by its index in ``forks``.
        commands: The commands that it called, in order.
    """

    call: Call[Any]
    reply: Any
    error: bytes
    instructions: int | None
    lines: Mapping[int, int]
    ways: Mapping[tuple[int, bool], int]
    commands: tuple[Sent, ...]

    @property
    def forks(self) -> tuple[Fork, ...]:
        """The forks of the script."""
        return copy_of(self.call.script.source).forks

    def typed(self) -> Any:
        """Decode the reply.

        Raises:
            CallError: What the error means, as `redislua.runtime` would raise it.
        """
        if self.error:
            raise answered(self.call, redis.ResponseError(self.error.decode("utf-8", "replace")))
        try:
            return self.call.decode(self.reply)
        except (ValueError, OverflowError) as error:
            name, keys = str(self.call.script), self.call.keys
            raise UnexpectedReplyError(name, self.reply, keys=keys) from error


@dataclass(frozen=True, slots=True)
class Copy:
    """What the engine makes of a script's source.

    Attributes:
        text: Without the shebang.
        watched: The same, with calls at its forks.
        forks: Its forks.
        lines: The lines that can run.
        libraries: What it uses that the engine does not have.
    """

    text: bytes
    watched: bytes
    forks: tuple[Fork, ...]
    lines: frozenset[int]
    libraries: tuple[str, ...]


@lru_cache(maxsize=256)
def copy_of(source: bytes) -> Copy:
    """Prepare a script, once."""
    chunk = parse(source)
    return Copy(
        text=blanked(source),
        watched=blanked(watched(chunk)),
        forks=tuple(forks(chunk)),
        lines=frozenset() if chunk.problems else executable(source),
        libraries=missing_libraries(chunk),
    )


def missing_libraries(chunk: Chunk) -> tuple[str, ...]:
    """The libraries that a script uses and the engine does not have, sorted."""
    return tuple(sorted({name.id for name in chunk.globals if name.id in LIBRARIES}))
