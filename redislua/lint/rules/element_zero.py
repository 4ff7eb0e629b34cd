"""RL322."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.returned import returned
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, Index


class ElementZero(Rule):
    """The element 0 is used, and lists begin at 1.

    ## Why is this bad?
    `KEYS[0]`, `ARGV[0]` and `reply[0]` are always nil: Lua counts from 1. What is put into
    the element 0 of a table that is returned does not reach the caller.

    ## Example
    ```lua
    return redis.call('GET', KEYS[0])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    Knows KEYS, ARGV and replies, and of the script's own tables those that it returns.
    """

    code = "RL322"
    name = "element-zero"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such element."""
        sent: set[Expression] | None = None
        for index in chunk.of(Index):
            if chunk.value(index.key).constant != 0:
                continue
            if index.is_written:
                sent = {part for _, part in returned(chunk)} if sent is None else sent
                variable = getattr(index.base, "variable", None)
                if variable is not None and variable.only_value() in sent:
                    message = f"{quoted(chunk, index)} does not reach the caller"
                    yield self.at(index, message, help="lists begin at 1")
                continue
            value = chunk.value(index.base)
            if value.symbol in ("KEYS", "ARGV") or value.reply is not None:
                base = quoted(chunk, index.base)[1:-1]
                message = f"{quoted(chunk, index)} is always nil: lists begin at 1"
                yield self.at(index, message, help=f"write `{base}[1]`")
