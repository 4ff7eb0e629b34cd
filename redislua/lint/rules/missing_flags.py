"""RL608."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call
from redislua.syntax.sites import CALLS

UNSEEN = ("loadstring", "load")


class MissingFlags(Rule):
    """The flags of the shebang do not fit what the script does.

    ## Why is this bad?
    A script that only reads runs on replicas, through `EVAL_RO`, and on a server out of memory,
    but only if it says `no-writes`. One that says so and writes fails when it comes to the
    write; `PUBLISH`, `SPUBLISH` and `PFCOUNT` count as writes.

    ## Example
    ```lua
    #!lua
    return redis.call('SCARD', KEYS[1])
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes
    return redis.call('SCARD', KEYS[1])
    ```

    ## Fix
    `no-writes` is added.

    ## Limits
    Nothing is asked of scripts without a shebang. A command whose name is data may write.
    """

    code = "RL608"
    name = "missing-flags"
    severity = Severity.INFO
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield a missing ``no-writes``, and what makes it wrong."""
        line = chunk.shebang
        if line is None or line.split()[:1] != [b"#!lua"]:
            return
        flags = [flag for word in line.split()[1:] for flag in word[6:].split(b",")]
        writes = [one for one in chunk.commands if one.row is not None and one.row.is_write]
        if b"no-writes" in flags:
            for command in writes:
                message = f"`{command.name}` is refused: the shebang says `no-writes`"
                help_ = "take `no-writes` out of the shebang"
                where = command.first or command.node
                yield self.at(where, message, help=help_, severity=Severity.ERROR)
        elif not writes and chunk.commands and _is_seen(chunk):
            end = len(line.rstrip())
            text = b",no-writes" if b"flags=" in line else b" flags=no-writes"
            text = text.lstrip(b",") if line.rstrip().endswith(b"flags=") else text
            yield self.at(
                (0, end),
                "the script only reads, and does not say so",
                help="`#!lua flags=no-writes` lets replicas and EVAL_RO run it",
                fix=Fix("Add `no-writes`", (Edit(end, end, text),)),
            )


def _is_seen(chunk: Chunk) -> bool:
    """Whether the chunk knows every command that the script can call."""
    if any(one.name is None or one.row is None for one in chunk.commands):
        # ``redis.call(...)`` in a wrapper: its calls are commands themselves.
        unknown = [one for one in chunk.commands if one.name is None or one.row is None]
        if not all(_is_wrapper(chunk, one.node) for one in unknown):
            return False
    handed = (one for call in chunk.calls for one in call.arguments)
    return not any(chunk.means(one) in CALLS for one in handed) and not any(
        True for _ in chunk.calls_to(*UNSEEN)
    )


def _is_wrapper(chunk: Chunk, call: Call) -> bool:
    around = chunk.function_around(call)
    return any(
        one.is_wrapped and chunk.function_called(one.node) is around for one in chunk.commands
    )
