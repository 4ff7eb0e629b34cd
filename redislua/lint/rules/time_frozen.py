"""RL604."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.clock import is_read_again, readings, waiting_loop
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression
from redislua.syntax.values import Origin

ORDER = ("<", ">", "<=", ">=")
HELP = "read TIME once; measure time, and wait, in the client"


class TimeFrozen(Rule):
    """A script waits for time to pass, or measures how much has passed.

    ## Why is this bad?
    From Redis 7.2 on, and on Valkey, `TIME` gives one and the same moment for as long as
    a script runs. The difference of two readings is zero, and a loop until a deadline never
    ends: the server serves nobody else until it is killed.

    ## Example
    ```lua
    local start = redis.call('TIME')
    redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000)
    return redis.call('TIME')[2] - start[2]
    ```

    Use instead:
    ```lua
    local start = redis.call('TIME')
    redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000)
    return start[2]
    ```

    ## Limits
    Readings are followed through locals and functions of the script, not through tables.
    """

    code = "RL604"
    name = "time-frozen"
    severity = Severity.ERROR
    needs = frozenset({"TIME"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield differences and orders of two readings, and loops that wait for one."""
        if not is_read_again(chunk):
            return
        for node in chunk.of(Binary):
            if node.operator != "-" and node.operator not in ORDER:
                continue
            if not _has_clock(chunk, node.left) and not _has_clock(chunk, node.right):
                continue
            left, right = readings(chunk, node.left), readings(chunk, node.right)
            if left and right:
                if left != right and _is_clock_alone(chunk, node):
                    is_span = node.operator == "-"
                    what = "their difference is 0" if is_span else "both readings are of one moment"
                    message = f"TIME stands still while a script runs: {what}"
                    yield self.at(node, message, help=HELP)
            elif left or right:
                other = node.right if left else node.left
                loop = waiting_loop(node, left | right)
                if loop is not None and _is_fixed(chunk, other):
                    message = "TIME stands still while a script runs: this loop does not end by it"
                    yield self.at(node, message, help=HELP)


def _has_clock(chunk: Chunk, expression: Expression) -> bool:
    return bool(chunk.value(expression).origin & Origin.TIME)


def _is_clock_alone(chunk: Chunk, node: Binary) -> bool:
    """Whether nothing stored takes part, with which a reading is rightly compared."""
    origin = chunk.value(node.left).origin | chunk.value(node.right).origin
    return not origin & (Origin.STORED | Origin.KEYS | Origin.UNKNOWN)


def _is_fixed(chunk: Chunk, other: Expression) -> bool:
    """Whether what the clock is compared with is the same each time."""
    value = chunk.value(other)
    return value.symbol is not None and not value.origin & (Origin.STORED | Origin.UNKNOWN)
