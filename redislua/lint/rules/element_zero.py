"""RL322."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index


class ElementZero(Rule):
    """The element 0 is read, and lists begin at 1.

    ## Why is this bad?
    `KEYS[0]`, `ARGV[0]` and `reply[0]` are always nil: Lua counts from 1.

    ## Example
    ```lua
    return redis.call('GET', KEYS[0])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    Knows KEYS, ARGV and replies, not tables of the script's own.
    """

    code = "RL322"
    name = "element-zero"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such element."""
        for index in chunk.of(Index):
            if index.is_written or chunk.value(index.key).constant != 0:
                continue
            value = chunk.value(index.base)
            if value.symbol in ("KEYS", "ARGV") or value.reply is not None:
                base = quoted(chunk, index.base)[1:-1]
                message = f"{quoted(chunk, index)} is always nil: lists begin at 1"
                yield self.at(index, message, help=f"write `{base}[1]`")
