"""RL207."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.keys import is_element_of
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index

CHANGING = ("table.insert", "table.remove", "table.sort")


class KeysOverwritten(Rule):
    """The script changes `KEYS`.

    ## Why is this bad?
    The caller's keys were checked and routed; what the script puts in their place was not. A
    reader takes `KEYS[1]` for what was passed.

    ## Example
    ```lua
    KEYS[1] = ARGV[1]
    return redis.call('GET', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    Assignments, and `table.insert`, `table.remove` and `table.sort`.
    """

    code = "RL207"
    name = "keys-overwritten"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each change."""
        for index in chunk.of(Index):
            if index.is_written and is_element_of("KEYS", index):
                message = f"{quoted(chunk, index)} is overwritten: it is no longer the caller's key"
                yield self.at(index, message, help="use a local")
        for call in chunk.calls_to(*CHANGING):
            if call.arguments and chunk.value(call.arguments[0]).symbol == "KEYS":
                yield self.at(call, f"`{chunk.means(call.callee)}` changes KEYS", help="use a copy")
