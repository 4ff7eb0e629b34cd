"""RL314."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, ForIn, Index, Name, Table, Unary, bare
from redislua.syntax.sites import path_of
from redislua.syntax.variables import Variable

COUNTING = ("i", "j", "k", "n", "idx", "index", "pos", "position", "_")


class IpairsIndex(Rule):
    """The one variable of a loop over `ipairs` is used as an element.

    ## Why is this bad?
    `ipairs` gives the index first and the element second: the variable is 1, 2, 3.

    ## Example
    ```lua
    for member in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do
      redis.call('ZINCRBY', KEYS[2], 1, member)
    end
    return 1
    ```

    Use instead:
    ```lua
    for _, member in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do
      redis.call('ZINCRBY', KEYS[2], 1, member)
    end
    return 1
    ```

    ## Limits
    Silent where the variable indexes a table, is calculated with, or is called `i`, `idx` and
    the like.
    """

    code = "RL314"
    name = "ipairs-index"
    severity = Severity.WARNING
    needs = frozenset({ForIn})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such variable."""
        for loop in chunk.of(ForIn):
            source = bare(loop.values[0]) if loop.values else None
            if (
                len(loop.variables) == 1
                and isinstance(source, Call)
                and path_of(source.callee) == "ipairs"
                and _is_element(loop.variables[0])
            ):
                name = loop.variables[0].name
                yield self.at(
                    loop.variables[0],
                    f"`{name}` is the index, not the element",
                    help=f"write `for _, {name} in ipairs(…)`",
                )


def _is_element(variable: Variable) -> bool:
    if variable.name in COUNTING or not variable.reads:
        return False
    return all(_is_taken_as_element(read) for read in variable.reads)


def _is_taken_as_element(read: Name) -> bool:
    outer = read.parent
    if isinstance(outer, Index):
        return outer.base is read
    if isinstance(outer, Call):
        return True
    if isinstance(outer, Binary):
        return outer.operator == ".."
    return not isinstance(outer, Unary | Table)
