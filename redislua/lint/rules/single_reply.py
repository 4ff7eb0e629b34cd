"""RL319."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Assign, Call, Expression, Local, Node, bare


class SingleReply(Rule):
    """Several variables are filled from one command, which gives one value.

    ## Why is this bad?
    `redis.call` returns one value: an array is one table. Every variable behind the first is
    nil, and the first one is the whole table.

    ## Example
    ```lua
    local name, mail = redis.call('HMGET', KEYS[1], 'name', 'mail')
    return {mail or '', name}
    ```

    Use instead:
    ```lua
    local name, mail = unpack(redis.call('HMGET', KEYS[1], 'name', 'mail'))
    return {mail or '', name}
    ```

    ## Limits
    `local reply, err = redis.pcall(...)` is one, too: an error is in `reply.err`.
    """

    code = "RL319"
    name = "single-reply"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each variable that gets nothing."""
        statements: list[tuple[Sequence[Node], list[Expression]]] = [
            *((one.variables, one.values) for one in chunk.of(Local)),
            *((one.targets, one.values) for one in chunk.of(Assign)),
        ]
        for targets, values in statements:
            if not values or len(targets) <= len(values):
                continue
            last = bare(values[-1])
            command = chunk.command_of(last) if isinstance(last, Call) else None
            if command is None:
                continue
            lost = targets[len(values)]
            help_ = "the error is in `reply.err`" if command.is_protected else "write `unpack(...)`"
            message = f"{quoted(chunk, lost)} is always nil: {command.name} gives one value"
            yield self.at(lost, message, help=help_)
