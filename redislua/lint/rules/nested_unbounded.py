"""RL506."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rounds import surroundings, unbounded
from redislua.lint.rule import Rule
from redislua.lint.sizes import OBJECTS, excess, is_growth_declared
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import LOOPS, Node


class NestedUnbounded(Rule):
    """A whole collection is read, or walked, within a loop.

    ## Why is this bad?
    The costs multiply: 300 elements with 300 each are 90 000 rounds, some 50 ms in which the
    server answers nobody. Such a script passes every test on small data.

    ## Example
    ```lua
    local total = 0
    for _, queue in ipairs(KEYS) do
      local jobs = redis.call('LRANGE', queue, 0, -1)
      total = total + #jobs
    end
    return total
    ```

    Use instead:
    ```lua
    local total = 0
    for _, queue in ipairs(KEYS) do
      total = total + redis.call('LLEN', queue)
    end
    return total
    ```

    ## Limits
    An error where data decides about the outer loop as well; a warning where that runs over
    KEYS, ARGV or a bounded reply; less for HGETALL, HKEYS and HVALS, since most hashes are
    objects. Outer loops of a constant number of rounds are left to `unbounded-read`.
    """

    code = "RL506"
    name = "nested-unbounded"
    severity = Severity.ERROR
    needs = frozenset(LOOPS)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield reads and loops within loops."""
        if not chunk.loops:
            return
        for command in chunk.commands:
            if excess(chunk, command) is None:
                continue
            is_object = command.name in OBJECTS
            message = f"{command.name} reads all that there is, in each round of a loop"
            yield from self._within(chunk, command.node, message, is_object=is_object)
        for loop in chunk.loops:
            if surroundings(chunk, loop) == "data":
                often = unbounded(chunk, loop)
                if often is not None:
                    message = f"this loop runs {often}, in each round of another"
                    yield from self._within(chunk, loop, message, is_object=False)

    def _within(
        self, chunk: Chunk, node: Node, message: str, *, is_object: bool
    ) -> Iterator[Finding]:
        around = surroundings(chunk, node)
        if not around or (around == "caller" and is_growth_declared(chunk)):
            return
        severity = Severity.ERROR if around == "data" else Severity.WARNING
        if is_object:
            severity = Severity.WARNING if around == "data" else Severity.INFO
        end = getattr(getattr(node, "body", None), "start", node.end)
        yield self.at(
            (node.start, end if end > node.start else node.end),
            message,
            help="ask for a number or a member instead, or bound both",
            severity=severity,
        )
