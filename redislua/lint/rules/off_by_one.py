"""RL315."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression, For, Index, Name, Unary, bare


class OffByOne(Rule):
    """A loop begins at the index 0 of a list.

    ## Why is this bad?
    Lists begin at 1: `t[0]` is nil, and a loop to `#t - 1` misses the last element.

    ## Example
    ```lua
    for i = 0, #ARGV do
      redis.call('ZINCRBY', KEYS[1], 1, ARGV[i])
    end
    return 1
    ```

    Use instead:
    ```lua
    for i = 1, #ARGV do
      redis.call('ZINCRBY', KEYS[1], 1, ARGV[i])
    end
    return 1
    ```

    ## Limits
    Loops from 0 to the length of a list that they index by the loop's variable alone; a list
    in which the script itself stores something at 0 is left out.
    """

    code = "RL315"
    name = "off-by-one"
    severity = Severity.WARNING
    needs = frozenset({For})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such loop, where it indexes."""
        for loop in chunk.of(For):
            if chunk.value(loop.first).constant != 0:
                continue
            listed = _length_of(loop.last)
            if listed is None:
                continue
            text = chunk.text(bare(listed))
            for read in loop.variable.reads:
                index = read.parent
                if (
                    isinstance(index, Index)
                    and bare(index.key) is read
                    and not index.is_written
                    and chunk.text(bare(index.base)) == text
                    and not _begins_at_zero(chunk, index.base)
                ):
                    name = loop.variable.name
                    message = f"{quoted(chunk, index)} is nil when `{name}` is 0: lists begin at 1"
                    yield self.at(loop.first, message, help="begin at 1")
                    break


def _length_of(last: Expression) -> Expression | None:
    """The list whose length a loop runs to, or to one less."""
    node = bare(last)
    if isinstance(node, Binary) and node.operator == "-":
        node = bare(node.left)
    if isinstance(node, Unary) and node.operator == "#":
        return node.operand
    return None


def _begins_at_zero(chunk: Chunk, base: Expression) -> bool:
    node = bare(base)
    variable = node.variable if isinstance(node, Name) else None
    stores = variable.stores if variable is not None else []
    return any(chunk.value(target.key).constant == 0 for target, _ in stores)
