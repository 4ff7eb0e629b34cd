"""RL101."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache, lru_cache

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import LINES, table


class UnknownCommand(Rule):
    """A command is called that no server has.

    ## Why is this bad?
    The call fails with `Unknown command called from script` when that line runs; what the
    script wrote before stays.

    ## Example
    ```lua
    return redis.call('INCRBYY', KEYS[1], 1)
    ```

    Use instead:
    ```lua
    return redis.call('INCRBY', KEYS[1], 1)
    ```

    ## Limits
    Commands with a dot in their name (`JSON.GET`) belong to modules, which no table lists.
    Names that are not literals are `dynamic-command`.
    """

    code = "RL101"
    name = "unknown-command"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command that is in no table."""
        for command in chunk.commands:
            name = command.name
            if name is None or command.row is not None or "." in name:
                continue
            where = command.first or command.node
            second = command.words()[0] if command.arguments else None
            if second is not None and any(name in table(line) for line in LINES):
                word = second.decode("utf-8", "replace").upper()
                message = f"`{name}` has no subcommand `{word}`"
                help_ = _meant(f"{name} {word}", f"{name} ")
                yield self.at(command.arguments[0], message, help=help_)
            else:
                message = f"no server has a command `{name}`"
                yield self.at(where, message, help=_meant(name, ""))


@cache
def _names(start: str) -> list[str]:
    return sorted({one.name for line in LINES for one in table(line) if one.name.startswith(start)})


@lru_cache(maxsize=1024)  # a name that is wrong is wrong in many files
def _meant(name: str, start: str) -> str:
    """Which known name, of those that begin with ``start``, is much like this one."""
    near = difflib.get_close_matches(name, _names(start), n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else ""
