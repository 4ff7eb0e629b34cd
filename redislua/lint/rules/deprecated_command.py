"""RL106."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import lines_of, named
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import Command, table
from redislua.syntax.nodes import String, bare
from redislua.syntax.sites import CommandCall

RENAMED = {"SUBSTR": "GETRANGE"}
"""Commands whose successor takes the same arguments and gives the same reply."""

RENAMED_IF_DROPPED = {"HMSET": "HSET"}
"""Those whose successor gives another reply, which no one must look at."""

MOVED = {"RPOPLPUSH": ("LMOVE", b", 'RIGHT', 'LEFT'")}
"""Those whose successor takes some words more at the end."""


class DeprecatedCommand(Rule):
    """A command is called that a server's documentation calls deprecated.

    ## Why is this bad?
    It works, and will for long. What replaces it can do more, and is what readers know.
    Valkey 9 takes most of these deprecations back.

    ## Example
    ```lua
    redis.call('HMSET', KEYS[1], 'owner', ARGV[1], 'state', 'new')
    redis.call('EXPIRE', KEYS[1], 60)
    ```

    Use instead:
    ```lua
    redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'state', 'new')
    redis.call('EXPIRE', KEYS[1], 60)
    ```

    ## Fix
    The name is replaced where the successor takes the same arguments and nobody looks at a
    reply that differs.

    ## Limits
    Asked are the documentations of the targets.
    """

    code = "RL106"
    name = "deprecated-command"
    severity = Severity.INFO
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command that some target deprecates."""
        for command in chunk.commands:
            if command.name is None or command.row is None:
                continue
            deprecating = _deprecating(lines_of(chunk), command.name)
            if not deprecating:
                continue
            row = deprecating[-1][1]
            lines = [line for line, _ in deprecating]
            message = (
                f"`{command.name}` is deprecated since {row.deprecated_since} ({named(lines)})"
            )
            help_ = f"use {row.replaced_by.replace('!', '')}" if row.replaced_by else ""
            fix = self._fix(chunk, command)
            yield self.at(command.first or command.node, message, help=help_, fix=fix)

    def _fix(self, chunk: Chunk, command: CommandCall) -> Fix | None:
        name, first = command.name or "", bare(command.first)
        if not isinstance(first, String) or (command.is_open and name in MOVED):
            return None
        edits: list[Edit] = []
        if name in RENAMED or (name in RENAMED_IF_DROPPED and chunk.is_dropped(command.node)):
            new = RENAMED.get(name) or RENAMED_IF_DROPPED[name]
        elif name in MOVED and len(command.arguments) == 2:
            new, words = MOVED[name]
            edits.append(Edit(command.arguments[-1].end, command.arguments[-1].end, words))
        else:
            return None
        written = chunk.source[first.start : first.end]
        shown = new if first.text.isupper() else new.lower()
        if written[1:-1] != first.text:  # a long bracket, or escapes
            return None
        edits.append(Edit(first.start + 1, first.end - 1, shown.encode()))
        return Fix(f"Call `{shown}`", tuple(edits))


@cache
def _deprecating(which: tuple[str, ...], name: str) -> list[tuple[str, Command]]:
    """Those of some lines that call a command deprecated."""
    known = [(line, table(line).get(name)) for line in which]
    return [
        (line, row) for line, row in known if row is not None and row.deprecated_since is not None
    ]
