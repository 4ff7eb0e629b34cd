"""RL105."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import lines_of, named, rows
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import table
from redislua.syntax.sites import CommandCall

INSTEAD = {
    "BLMOVE": "LMOVE",
    "BLMPOP": "LMPOP",
    "BLPOP": "LPOP",
    "BRPOP": "RPOP",
    "BRPOPLPUSH": "LMOVE",
    "BZMPOP": "ZMPOP",
    "BZPOPMAX": "ZPOPMAX",
    "BZPOPMIN": "ZPOPMIN",
}
ONLY_WITH_BLOCK = ("XREAD", "XREADGROUP")


class BlockingCommand(Rule):
    """A command is called that waits elsewhere, and cannot wait in a script.

    ## Why is this bad?
    Nobody else is served while a script runs, so nothing can come that it waits for. Redis 7.0
    refuses most of these commands in scripts (`XREAD BLOCK` up to 7.2); later servers answer
    at once, as if the time were over.

    ## Example
    ```lua
    return redis.call('BLMPOP', 0, 1, KEYS[1], 'LEFT')
    ```

    Use instead:
    ```lua
    return redis.call('LMPOP', 1, KEYS[1], 'LEFT')
    ```

    ## Limits
    It is an error where some target refuses the command.
    """

    code = "RL105"
    name = "blocking-command"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command that would wait."""
        for command in chunk.commands:
            row = command.row
            if row is None or command.name is None or not row.blocks_elsewhere:
                continue
            if command.name in ONLY_WITH_BLOCK and not _has_block(command):
                continue
            refusing = self._refusing(chunk, command.name)
            message = f"`{command.name}` never waits in a script"
            if refusing:
                verb = "refuses" if len(refusing) == 1 else "refuse"
                message = (
                    f"{named(refusing)} {verb} `{command.name}` in a script; others never wait"
                )
            yield self.at(
                command.first or command.node,
                message,
                help=_instead(command.name),
                severity=Severity.ERROR if refusing else None,
            )

    def _refusing(self, chunk: Chunk, name: str) -> list[str]:
        if name in ONLY_WITH_BLOCK:
            return [line for line in lines_of(chunk) if table(line).refuses_block]
        return [line for line, row in rows(chunk, name) if row is not None and not row.is_allowed]


def _has_block(command: CommandCall) -> bool:
    words = [word.upper() if word is not None else None for word in command.words()]
    before = words[: words.index(b"STREAMS")] if b"STREAMS" in words else words
    return b"BLOCK" in before


def _instead(name: str) -> str:
    if name in ONLY_WITH_BLOCK:
        return "leave `BLOCK` out, and let the client wait"
    if name in INSTEAD:
        return f"use `{INSTEAD[name]}`, and let the client wait"
    return "let the client call it, after the script"
