"""RL605."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.clock import readings
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression
from redislua.syntax.values import Origin

ORDER = ("<", ">", "<=", ">=")


class NondeterministicTimeSource(Rule):
    """The server's clock is compared with a time that the caller passes.

    ## Why is this bad?
    The two clocks differ, by seconds or worse. What one caller finds expired is not for
    the next, and a clock that is set back gives negative ages.

    ## Example
    ```lua
    local now = tonumber(redis.call('TIME')[1])
    if now > tonumber(ARGV[1]) then
      return 0
    end
    return redis.call('SADD', KEYS[1], ARGV[2])
    ```

    Use instead:
    ```lua
    if redis.call('SCARD', KEYS[1]) > 100 then
      return 0
    end
    return redis.call('SADD', KEYS[1], ARGV[2])
    ```

    ## Limits
    Only direct comparisons of a reading with an argument: an argument that is added or
    subtracted is a duration.
    """

    code = "RL605"
    name = "nondeterministic-time-source"
    severity = Severity.INFO
    needs = frozenset({"TIME"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each comparison of the two clocks."""
        if not any(command.name == "TIME" for command in chunk.commands):
            return
        for node in chunk.of(Binary):
            if node.operator in ORDER and (
                _are_two_clocks(chunk, node.left, node.right)
                or _are_two_clocks(chunk, node.right, node.left)
            ):
                message = "the server's clock is compared with the caller's"
                yield self.at(node, message, help="pass a duration, and take both times from TIME")


def _are_two_clocks(chunk: Chunk, clock: Expression, argument: Expression) -> bool:
    if chunk.value(clock).origin & ~Origin.LITERAL != Origin.TIME:
        return False
    if chunk.value(argument).origin != Origin.ARGV:
        return False
    return len(readings(chunk, clock)) == 1
