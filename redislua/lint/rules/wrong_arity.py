"""RL103."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from redislua.lint.arity import are, number, takes, unfinished_group, usage
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import lines_of, named
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import table


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
            where = _refusing(lines_of(chunk), command.name, given, command.is_open)
            if where is not None:
                message = f"`{command.name}` takes {number(row)}{where}: here {are(given)} given"
                yield self.at(command.node, message, help=usage(row))
            else:
                found = unfinished_group(chunk, command)
                if found is not None:
                    yield self.at(*found)


@lru_cache(maxsize=4096)  # most calls of a command have as many words
def _refusing(which: tuple[str, ...], name: str, given: int, is_open: bool) -> str | None:
    """Which of some lines refuse so many arguments, in words: ``""`` for all, None for none."""
    known = [(line, row) for line in which if (row := table(line).get(name)) is not None]
    wrong = [line for line, row in known if not takes(row, given, is_open)]
    if not wrong:
        return None
    return "" if len(wrong) == len(known) else f" on {named(wrong)}"
