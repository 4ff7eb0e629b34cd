"""RL706."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Block, Call, If, Node, Return, Statement

LEFT = {
    "redis.breakpoint": (Severity.ERROR, "stops the script when a debugger is there"),
    "redis.debug": (Severity.WARNING, "does nothing but in the debugger"),
    "redis.log": (Severity.INFO, "writes to the server's log at each call"),
}


class DebuggingLeftIn(Rule):
    """A call that is for debugging was left in.

    ## Why is this bad?
    `redis.breakpoint` and `redis.debug` are for `redis-cli --ldb`. `redis.log` fills the
    server's log, which application and operations share.

    ## Example
    ```lua
    redis.breakpoint()
    return redis.call('INCR', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('INCR', KEYS[1])
    ```

    ## Limits
    `redis.log` below an `if`, or behind one that returns, is meant to be there: not reported.
    """

    code = "RL706"
    name = "debugging-left-in"
    severity = Severity.WARNING
    needs = frozenset(LEFT)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such call."""
        returning: dict[Block, int] = {}  # where the first `if` that returns ends
        for path, (severity, what) in LEFT.items():
            for call in chunk.calls_to(path):
                if path == "redis.log" and _is_meant(call, returning):
                    continue
                yield self.at(call, f"`{path}` {what}", help="take it out", severity=severity)


def _is_meant(call: Call, returning: dict[Block, int]) -> bool:
    """Whether the script asks first: ``if debug then``, or ``if not debug then return end``."""
    inner: Node = call
    for outer in call.parents():
        if isinstance(outer, If):
            return True
        if isinstance(outer, Block):
            if outer not in returning:
                ends = (one.end for one in outer.statements if _may_return(one))
                returning[outer] = next(ends, outer.end + 1)
            if returning[outer] <= inner.start:
                return True
        inner = outer
    return False


def _may_return(statement: Statement) -> bool:
    return isinstance(statement, If) and any(
        block.statements and isinstance(block.statements[-1], Return) for _, block in statement.arms
    )
