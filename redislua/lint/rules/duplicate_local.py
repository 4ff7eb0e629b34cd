"""RL705."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Node
from redislua.syntax.variables import Variable


class DuplicateLocal(Rule):
    """One statement or one list of parameters declares a name twice.

    ## Why is this bad?
    The last one is the one that is read. What the first was to hold is lost.

    ## Example
    ```lua
    local n, n = redis.call('SCARD', KEYS[1]), 0
    return n
    ```

    Use instead:
    ```lua
    local n, sum = redis.call('SCARD', KEYS[1]), 0
    return n + sum
    ```

    ## Limits
    `_` may come as often as it likes.
    """

    code = "RL705"
    name = "duplicate-local"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each name that is declared again in one go."""
        seen: dict[str, tuple[Node, Variable]] = {}
        for variable in chunk.variables:
            if not variable.definitions or variable.name == "_":
                continue
            node = variable.definitions[0].node
            before = seen.get(variable.name)
            if before is not None and before[0] is node:
                message = f"`{variable.name}` is declared twice here: the last one is meant below"
                yield self.at(variable, message, help="give it a name of its own")
            seen[variable.name] = (node, variable)
