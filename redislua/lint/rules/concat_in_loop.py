"""RL505."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import LOOPS, Assign, Binary, Expression, Loop, Name, bare

FEW = 16
"""Rounds in which copying costs nothing worth a word."""


class ConcatInLoop(Rule):
    """A string grows by `..` in a loop.

    ## Why is this bad?
    Strings never change: each round copies all that was there before, so that 10 000 pieces
    of 20 bytes copy a gigabyte. `table.concat` copies each piece once.

    ## Example
    ```lua
    local found = redis.call('LRANGE', KEYS[1], 0, 99)
    local text = ''
    for _, word in ipairs(found) do
      text = text .. word .. ','
    end
    return text
    ```

    Use instead:
    ```lua
    local found = redis.call('LRANGE', KEYS[1], 0, 99)
    local words = {}
    for position, word in ipairs(found) do
      words[position] = word .. ','
    end
    return table.concat(words)
    ```

    ## Limits
    Silent in loops of a few rounds, for strings that each round begins anew, and for those
    that are kept in a table's field.
    """

    code = "RL505"
    name = "concat-in-loop"
    severity = Severity.INFO
    needs = frozenset(LOOPS)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield assignments of a string and more to the same string."""
        if not chunk.loops:
            return
        for statement in chunk.of(Assign):
            for target, value in zip(statement.targets, statement.values, strict=False):
                if not isinstance(target, Name) or target.variable is None:
                    continue
                variable = target.variable
                if not _holds(value, target) or not any(
                    not loop.start <= variable.start < loop.end and not _is_short(chunk, loop)
                    for loop in chunk.loops_around(statement)
                ):
                    continue
                yield self.at(
                    statement,
                    f"each round copies all of {target.id} to add to it",
                    help="collect the pieces in a table, and join them with table.concat behind the loop",
                )


def _is_short(chunk: Chunk, loop: Loop) -> bool:
    bound = chunk.bound(loop)
    return bound.by == "constant" and (bound.most or 0) <= FEW


def _holds(value: Expression, name: Name) -> bool:
    """Whether a value is a chain of ``..`` with the variable as one of its parts."""
    node = bare(value)
    if not isinstance(node, Binary) or node.operator != "..":
        return False
    return any(
        (isinstance(side, Name) and side.variable is name.variable) or _holds(side, name)
        for side in (bare(node.left), bare(node.right))
    )
