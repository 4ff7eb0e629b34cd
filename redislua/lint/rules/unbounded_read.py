"""RL501."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rounds import surroundings, unbounded
from redislua.lint.rule import Rule
from redislua.lint.sizes import OBJECTS, excess, is_growth_declared
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import For, ForIn
from redislua.syntax.sites import CommandCall


class UnboundedRead(Rule):
    """A command reads a whole collection, however large it has become.

    ## Why is this bad?
    The server does nothing else while a script runs. What takes 50 us on the developer's
    data takes 50 ms on a collection of 100 000 elements, for every client.

    ## Example
    ```lua
    local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE')
    return due
    ```

    Use instead:
    ```lua
    local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 100)
    return due
    ```

    ## Limits
    Silent where the range ends in a variable, where the script trims the collection or
    compares its size with a bound first, and where the header declares over what the cost
    grows (`@budget growth=linear n=...`). HGETALL, HKEYS and HVALS are an info: most hashes
    are objects. A read in a loop is `nested-unbounded`, and one that stands in the head of
    a loop with commands is part of what `unbounded-loop` says.
    """

    code = "RL501"
    name = "unbounded-read"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield reads outside loops that nothing bounds."""
        if is_growth_declared(chunk):
            return
        for command in chunk.commands:
            advice = excess(chunk, command)
            if advice is None or surroundings(chunk, command.node):
                continue
            if _is_head_of_a_found_loop(chunk, command):
                continue
            yield self.at(
                command.node,
                f"{command.name} reads all that there is, and nothing bounds that",
                help=advice,
                severity=Severity.INFO if command.name in OBJECTS else None,
            )


def _is_head_of_a_found_loop(chunk: Chunk, command: CommandCall) -> bool:
    """Whether a loop goes over the reply right there, and is reported for that."""
    return any(
        isinstance(outer, For | ForIn)
        and command.end <= outer.body.start
        and unbounded(chunk, outer) is not None
        for outer in command.node.parents()
    )
