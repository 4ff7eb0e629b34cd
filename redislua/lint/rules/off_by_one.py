"""RL315."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Block,
    Call,
    Expression,
    For,
    If,
    Index,
    Name,
    Statement,
    Unary,
    bare,
)

NEEDING = ("+", "-", "*", "/", "%", "^", "..", "<", "<=", ">", ">=")


class OffByOne(Rule):
    """A loop begins before the first element of a list, or goes beyond the last.

    ## Why is this bad?
    Lists begin at 1: `t[0]` is nil, and a loop to `#t - 1` misses the last element. In the
    last round of a loop to `#t`, `t[i + 1]` is nil.

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
    Loops from 0 to the length of a list that they index by the loop's variable alone, and
    loops to the length whose body gives an element behind the present one to a command, a
    calculation or `..`, and asks nowhere what it is. A list in which the script itself stores
    something at 0, or while the loop runs, is left out.
    """

    code = "RL315"
    name = "off-by-one"
    severity = Severity.WARNING
    needs = frozenset({For})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such loop, where it indexes."""
        for loop in chunk.of(For):
            yield from self._beyond(chunk, loop)
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

    def _beyond(self, chunk: Chunk, loop: For) -> Iterator[Finding]:
        last = bare(loop.last)
        step = 1.0 if loop.step is None else chunk.value(loop.step).constant
        if not isinstance(last, Unary) or last.operator != "#" or not isinstance(step, float):
            return
        listed = bare(last.operand)
        text = chunk.text(listed)
        if any(isinstance(one, If) for one in _within(loop)):
            return  # some rounds are others
        for read in loop.variable.reads:
            plus = read.parent
            index = plus.parent if plus is not None else None
            if (
                isinstance(plus, Binary)
                and plus.operator == "+"
                and isinstance(index, Index)
                and bare(index.key) is plus
                and not index.is_written
                and chunk.text(bare(index.base)) == text
                and _is_needed(chunk, index)
                and not chunk.is_tested_before(index, loop.body.end)
                and not _is_filled_in(listed, loop)
            ):
                ahead = chunk.value(plus.right if plus.left is read else plus.left).constant
                # By pairs, `t[i + 1]` is there: `for i = 1, #t, 2`.
                if isinstance(ahead, float) and ahead >= step >= 1:
                    message = f"{quoted(chunk, index)} is nil in the last round"
                    help_ = f"end at `#{text} - {ahead:.0f}`, or go on by {ahead + 1:.0f}"
                    yield self.at(index, message, help=help_)
                    return


def _within(loop: For) -> Iterator[Statement]:
    """The statements of a loop, those of the blocks and loops inside it included."""
    open_ = [loop.body]
    while open_:
        for statement in open_.pop().statements:
            yield statement
            body = getattr(statement, "body", None)
            if isinstance(body, Block):
                open_.append(body)


def _is_needed(chunk: Chunk, index: Index) -> bool:
    """Whether the script stops where an element is nil."""
    outer = index.parent
    if isinstance(outer, Binary):
        return outer.operator in NEEDING
    return isinstance(outer, Call) and chunk.command_of(outer) is not None


def _is_filled_in(listed: Expression, loop: For) -> bool:
    """Whether the loop itself puts something into the list."""
    variable = listed.variable if isinstance(listed, Name) else None
    stores = variable.stores if variable is not None else []
    return any(loop.start <= target.start < loop.end for target, _ in stores)


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
