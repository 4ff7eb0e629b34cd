"""How many arguments a command takes, in words."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import Command
from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind

__all__ = ["are", "number", "takes", "unfinished_group", "usage"]

GROUPS = {
    "GEOADD": (1, ("longitude", "latitude", "member")),
    "HMSET": (1, ("field", "value")),
    "HSET": (1, ("field", "value")),
    "MSET": (0, ("key", "value")),
    "MSETNX": (0, ("key", "value")),
    "ZADD": (1, ("score", "member")),
}
"""Commands whose last arguments come in groups: where these begin, and of what they are."""


def takes(row: Command, given: int, is_open: bool) -> bool:
    if is_open:
        return row.arity < 0 or given <= row.arity
    return row.takes(given)


def number(row: Command) -> str:
    least = abs(row.arity) - 1
    words = "no arguments" if not least else f"{least} argument{'' if least == 1 else 's'}"
    return words if row.arity > 0 else f"at least {words}"


def are(given: int) -> str:
    return f"{given or 'none'} {'is' if given < 2 else 'are'}"


def usage(row: Command) -> str:
    if not row.arguments:
        return ""
    names = " ".join(argument.name for argument in row.arguments)
    return f"it is called as {row.name.partition(' ')[0]} {names}{' …' if row.arity < 0 else ''}"


def unfinished_group(chunk: Chunk, command: CommandCall) -> tuple[Expression, str] | None:
    """The last argument of a call whose last group lacks a word, and what to say of it."""
    start, names = GROUPS.get(command.name or "", (0, ()))
    if not names or command.is_open:
        return None
    rest = command.arguments[start:]
    options = command.row.options if command.row is not None else {}
    for word in command.words()[start:]:
        if word is None or word.upper().decode("latin-1") not in options:
            break
        rest = rest[1:]
    if not rest or len(rest) % len(names) == 0 or (options and not _is_number(chunk, rest[0])):
        return None
    if len(names) == 2:
        return rest[-1], f"`{command.name}`: the last {names[0]} has no {names[1]}"
    wanted = " and ".join(f"a {name}" for name in names)
    return rest[-1], f"`{command.name}`: every group is {wanted}: here {len(rest)} words are left"


def _is_number(chunk: Chunk, expression: Expression) -> bool:
    """Whether it cannot be an option: a score, or a longitude."""
    return chunk.value(expression).is_only(Kind.NUMBER)
