"""RL311."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.leaving import leaves
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Block,
    Break,
    Constant,
    Do,
    If,
    Repeat,
    Return,
    Statement,
    bare,
)


class ImplicitNilReturn(Rule):
    """The script replies with a value on some paths, and ends without a reply on others.

    ## Why is this bad?
    The caller gets nil there, and cannot tell whether that was meant.

    ## Example
    ```lua
    if redis.call('EXISTS', KEYS[1]) == 1 then
      return redis.call('INCR', KEYS[1])
    end
    ```

    Use instead:
    ```lua
    if redis.call('EXISTS', KEYS[1]) == 1 then
      return redis.call('INCR', KEYS[1])
    end
    return 0
    ```

    ## Limits
    Looks at the end of the script, not at `return` without a value. Loops are taken to end,
    but for `while true` without `break`.
    """

    code = "RL311"
    name = "implicit-nil-return"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the last statement, where the script can end behind it."""
        statements = chunk.main.body.statements
        if not statements or _leaves(chunk.main.body):
            return
        if any(_has_value(one) for one in chunk.main.returns):
            last = statements[-1]
            end = chunk.source.find(b"\n", last.start, last.end)
            place = (last.start, end if end >= 0 else last.end)
            message = "the script may end here without a reply"
            yield self.at(place, message, help="end it with `return`")


def _has_value(statement: Return) -> bool:
    value = bare(statement.values[0]) if statement.values else None
    return value is not None and not (isinstance(value, Constant) and value.word == "nil")


def _leaves(block: Block) -> bool:
    """Whether what follows a block never runs: one of its statements is enough."""
    return any(map(_is_end, block.statements))


def _is_end(statement: Statement) -> bool:
    match statement:
        case Do() | Repeat():
            return _leaves(statement.body)
        case If():
            arms = [body for _, body in statement.arms]
            ends = statement.otherwise
            return ends is not None and all(map(_leaves, [*arms, ends]))
        case Break():
            return False  # it ends a loop, not the script
    return leaves(statement)
