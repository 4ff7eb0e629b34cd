"""RL703."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.leaving import leaves
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Block,
    Do,
    If,
    Node,
    Statement,
    While,
)


class UnreachableCode(Rule):
    """A statement never runs, because the one before it does not end.

    ## Why is this bad?
    It looks as if it did something. Often a `return` for a trial was left in.

    ## Example
    ```lua
    do
      return redis.call('SCARD', KEYS[1])
    end
    return redis.call('SREM', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua
    return redis.call('SCARD', KEYS[1])
    ```

    ## Limits
    Known to leave are `return`, `break`, `error`, and an endless loop without `break`.
    """

    code = "RL703"
    name = "unreachable-code"
    severity = Severity.WARNING
    needs = frozenset({Do, If, While, "error"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first statement behind each that leaves."""
        last: list[Node] = [*chunk.of(Do), *chunk.of(If), *chunk.of(While)]
        last += [call.parent for call in chunk.calls_to("error") if call.parent is not None]
        for node in last:
            block = node.parent
            if isinstance(block, Block) and isinstance(node, Statement) and leaves(node):
                at = bisect_right(block.statements, node.start, key=lambda one: one.start)
                if at < len(block.statements):
                    line = chunk.line(node)
                    message = f"this never runs: what begins on line {line} does not come here"
                    yield self.at(block.statements[at], message, help="remove one of them")
