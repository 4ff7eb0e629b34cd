"""RL102."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import every_row, named, rows
from redislua.syntax.chunk import Chunk

HELP = {
    "MULTI": "a script is atomic already: leave it out",
    "EXEC": "a script is atomic already: leave it out",
    "WATCH": "a script is atomic already: leave it out",
    "EVAL": "make it a local function of this script",
    "EVALSHA": "make it a local function of this script",
}


class NotAllowedInScripts(Rule):
    """A command is called that servers refuse to run from a script.

    ## Why is this bad?
    The call fails with `This Redis command is not allowed from script`, always. Transactions,
    subscriptions, other scripts, configuration and connections are for clients alone.

    ## Example
    ```lua
    redis.call('MULTI')
    return redis.call('INCR', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('INCR', KEYS[1])
    ```

    ## Limits
    Commands that wait, as `BLPOP`, are `blocking-command`. A subcommand that is not a literal
    is not looked at.
    """

    code = "RL102"
    name = "not-allowed-in-scripts"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command that some target refuses."""
        for command in chunk.commands:
            name = command.name
            if name is None or command.row is None or not _is_ever_refused(name):
                continue
            known = [(line, row) for line, row in rows(chunk, name) if row is not None]
            refusing = [line for line, row in known if not row.is_allowed]
            if not refusing:
                continue
            where = "" if len(refusing) == len(known) else f" of {named(refusing)}"
            message = f"`{name}` is not allowed in scripts{where}"
            yield self.at(command.first or command.node, message, help=HELP.get(name, ""))


@cache
def _is_ever_refused(name: str) -> bool:
    """Whether a command is refused, and not only where it would wait."""
    every = [row for _, row in every_row(name) if row is not None]
    return any(not row.is_allowed for row in every) and not (
        any(row.is_allowed for row in every) and any(row.blocks_elsewhere for row in every)
    )
