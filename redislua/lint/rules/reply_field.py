"""RL316."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.replies import has_resp3
from redislua.lint.reply_parts import command_behind
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index, String
from redislua.syntax.sites import CommandCall

GIVEN = frozenset({b"err", b"ok"})
"""The only names in a reply: those of an error and of a status."""
PAIRS = ("HGETALL", "CONFIG GET", "XINFO STREAM")


class ReplyField(Rule):
    """A field of a reply is read by its name, and a reply has no names.

    ## Why is this bad?
    What the caller's library shows as a dictionary is a flat array in a script: `HGETALL`
    gives name, value, name, value. `reply.name` is always nil.

    ## Example
    ```lua
    local user = redis.call('HMGET', KEYS[1], 'name', 'mail')
    return user.name
    ```

    Use instead:
    ```lua
    local user = redis.call('HMGET', KEYS[1], 'name', 'mail')
    return user[1]
    ```

    ## Limits
    Silent in a script that calls `redis.setresp(3)`, and for a table into which the script
    puts fields of its own.
    """

    code = "RL316"
    name = "reply-field"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each field that no reply has."""
        if not chunk.commands:
            return
        for index in chunk.of(Index):
            key = index.key
            if not isinstance(key, String) or key.text in GIVEN or index.is_written:
                continue
            command = command_behind(chunk, index.base)
            if command is None or command.row is None or has_resp3(chunk):
                continue
            message = f"{quoted(chunk, index)} is always nil: {command.name} replies without names"
            yield self.at(index, message, help=_help(command))


def _help(command: CommandCall) -> str:
    if command.name in PAIRS:
        return "names and values take turns: read them in steps of two, or use HMGET"
    return "take elements by their position: `reply[1]`"
