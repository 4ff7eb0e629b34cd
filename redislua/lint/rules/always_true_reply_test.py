"""RL303."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.conditions import is_condition
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.replies import has_resp3, reply_type
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Assign,
    Call,
    CallStatement,
    Index,
    Item,
    Local,
    Name,
    Return,
    Unary,
)
from redislua.syntax.values import Kind, Value

NO_CONDITION = (Call, Index, Local, Assign, CallStatement, Return, Item)
"""What only passes a value on."""
PLURAL = {"array": "a table, and an empty table is true", "nested": "a table, which is true"}


class AlwaysTrueReplyTest(Rule):
    """A reply that is never false is used as a condition.

    ## Why is this bad?
    `EXISTS`, `SADD` or `HEXISTS` reply with a number, and 0 is true in Lua, that of `#x`
    included; an empty array is true, too. The condition always holds.

    ## Example
    ```lua
    if redis.call('EXISTS', KEYS[1]) then
      return 'there'
    end
    return 'missing'
    ```

    Use instead:
    ```lua
    if redis.call('EXISTS', KEYS[1]) == 1 then
      return 'there'
    end
    return 'missing'
    ```

    ## Limits
    Silent for replies that can be false (`GET`, `SET … NX`), for `redis.pcall`, and where the
    same value is looked at more closely in the same condition (`n and n > 0`). An array and a
    status reply are reported as a warning and not at all: they are tested out of caution.
    """

    code = "RL303"
    name = "always-true-reply-test"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such condition."""
        for length in chunk.of(Unary):
            if length.operator == "#" and is_condition(length):
                message = f"{quoted(chunk, length)} is always true: 0 is true, too"
                yield self.at(length, message, help="compare the number: `> 0`")
        for node in (*chunk.of(Call), *chunk.of(Name)):
            if type(node.parent) in NO_CONDITION:  # most are
                continue
            if isinstance(node, Name) and (node.variable is None or node.is_written):
                continue
            if not is_condition(node):
                continue
            value = chunk.value(node)
            reply = reply_type(value.reply)
            if not _is_plain(value) or has_resp3(chunk):
                continue
            command = value.reply.name if value.reply is not None else ""
            what = quoted(chunk, node)
            if reply == "integer":
                help_ = "compare the number: `== 1`, `> 0`"
                message = f"{what} is always true: {command} replies with a number, and 0 is true"
                yield self.at(node, message, help=help_)
            elif reply in PLURAL:
                message = f"{what} is always true: {command} replies with {PLURAL[reply]}"
                yield self.at(
                    node, message, help="compare its length: `#x > 0`", severity=Severity.WARNING
                )


def _is_plain(value: Value) -> bool:
    return (
        value.reply is not None and not value.can_fail and value.is_only(Kind.NUMBER | Kind.TABLE)
    )
