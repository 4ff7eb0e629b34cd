"""RL328."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Number


class InexactLiteral(Rule):
    """A whole number is written that Lua cannot hold.

    ## Why is this bad?
    Numbers of Lua 5.1 are floats: above 2^53 not every whole number is one of them, and the
    nearest takes its place. Identifiers of 64 bits change that way.

    ## Example
    ```lua
    return redis.call('SISMEMBER', KEYS[1], 9007199254740993)
    ```

    Use instead:
    ```lua
    return redis.call('SISMEMBER', KEYS[1], '9007199254740993')
    ```

    ## Limits
    Numbers as they are written. What is decoded or converted is not known.
    """

    code = "RL328"
    name = "inexact-literal"
    severity = Severity.WARNING
    needs = frozenset({Number})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such number."""
        for node in chunk.of(Number):
            if node.number < 2**53:  # nearly all
                continue
            text = chunk.text(node).lower()
            is_hex = text.startswith("0x")
            if not is_hex and not text.isdigit():
                continue
            if int(text, 16 if is_hex else 10) != node.number:
                message = f"{quoted(chunk, node)} becomes {node.number:.0f}"
                yield self.at(node, message, help="write it as text, between quotes")
