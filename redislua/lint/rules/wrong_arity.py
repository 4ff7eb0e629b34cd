"""RL103."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.arity import are, number, takes, usage
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import named, rows
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind

GROUPS = {
    "GEOADD": (1, ("longitude", "latitude", "member")),
    "HMSET": (1, ("field", "value")),
    "HSET": (1, ("field", "value")),
    "MSET": (0, ("key", "value")),
    "MSETNX": (0, ("key", "value")),
    "ZADD": (1, ("score", "member")),
}
"""Commands whose last arguments come in groups: where these begin, and of what they are."""


class WrongArity(Rule):
    """A command has too few or too many arguments.

    ## Why is this bad?
    The call fails with `Wrong number of args calling command from script` when that line
    runs. A field without a value fails, too.

    ## Example
    ```lua
    return redis.call('EXPIRE', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('EXPIRE', KEYS[1], ARGV[1])
    ```

    ## Limits
    Where the last argument may stand for any number (`unpack(t)`, `...`), only what is too
    much without it is reported.
    """

    code = "RL103"
    name = "wrong-arity"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each call that some target refuses for its number of arguments."""
        for command in chunk.commands:
            row = command.row
            if row is None or command.name is None or row.is_container:
                continue
            given = len(command.arguments)
            known = [(line, one) for line, one in rows(chunk, command.name) if one is not None]
            wrong = [line for line, one in known if not takes(one, given, command.is_open)]
            if wrong:
                where = "" if len(wrong) == len(known) else f" on {named(wrong)}"
                message = f"`{command.name}` takes {number(row)}{where}: here {are(given)} given"
                yield self.at(command.node, message, help=usage(row))
            else:
                yield from self._groups(chunk, command)

    def _groups(self, chunk: Chunk, command: CommandCall) -> Iterator[Finding]:
        start, names = GROUPS.get(command.name or "", (0, ()))
        if not names or command.is_open:
            return
        rest = command.arguments[start:]
        options = command.row.options if command.row is not None else {}
        for word in command.words()[start:]:
            if word is None or word.upper().decode("latin-1") not in options:
                break
            rest = rest[1:]
        if len(rest) % len(names) == 0 or (options and not _isnumber(chunk, rest[0])):
            return
        wanted = " and ".join(f"a {name}" for name in names)
        message = f"`{command.name}`: every group is {wanted}: here {len(rest)} words are left"
        if len(names) == 2:
            message = f"`{command.name}`: the last {names[0]} has no {names[1]}"
        yield self.at(rest[-1], message)


def _isnumber(chunk: Chunk, expression: Expression) -> bool:
    """Whether it cannot be an option: a score, or a longitude."""
    return chunk.value(expression).is_only(Kind.NUMBER)
