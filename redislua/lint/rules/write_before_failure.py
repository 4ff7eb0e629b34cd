"""RL405."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.conditions import operands_of
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.writes import Writes
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Call,
    Constant,
    Expression,
    Function,
    If,
    Node,
    Number,
    Return,
    String,
)
from redislua.syntax.values import Origin

DECODERS = ("cjson.decode", "cmsgpack.unpack")
RAISING = ("error", "assert")
CONSTANT = (Constant, Number, String)
REPLYING = ("redis.error_reply", "server.error_reply")


class WriteBeforeFailure(Rule):
    """The script writes, and comes to a statement after it that can fail.

    ## Why is this bad?
    Nothing is taken back: if the statement fails, what was written stays, and the rest is
    missing. A popped job that cannot be decoded is lost.

    ## Example
    ```lua
    redis.call('INCR', KEYS[1])
    local order = cjson.decode(ARGV[1])
    return redis.call('SADD', KEYS[2], tostring(order.id))
    ```

    Use instead:
    ```lua
    local order = cjson.decode(ARGV[1])
    redis.call('INCR', KEYS[1])
    return redis.call('SADD', KEYS[2], tostring(order.id))
    ```

    ## Limits
    Looked at are decoders of arguments and stored data, `error` and `assert`, outside `pcall`,
    and an error reply in an `if` that asks for nothing but arguments, which could come first.
    Not reported is what a later round of a loop does, or an element of the wrong type.
    """

    code = "RL405"
    name = "write-before-failure"
    severity = Severity.WARNING
    needs = frozenset((*DECODERS, *RAISING, *REPLYING))

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield what can fail after a write."""
        writes: Writes | None = None
        for call in chunk.calls_to(*DECODERS, *RAISING, *REPLYING):
            what = _what(chunk, call)
            if not what or is_in_protected_call(call):
                continue
            writes = writes or Writes(chunk)
            write = writes.before(call)
            if write is not None:
                line = chunk.line(write.node)
                message = f"{what} after `{write.name}` on line {line}, which stays"
                yield self.at(call, message, help="check first, then write")


def _what(chunk: Chunk, call: Call) -> str:
    path = call.path
    if path in RAISING:
        return f"`{path}` can stop the script" if path == "assert" else "`error` stops the script"
    if path in REPLYING:
        return (
            "the arguments alone decide this error, which comes"
            if _is_of_arguments(chunk, call)
            else ""
        )
    if not call.arguments:
        return ""
    value = chunk.value(call.arguments[0])
    if value.origin & (Origin.ARGV | Origin.STORED) and value.constant is None:
        return f"`{path}` can fail"
    return ""


def _is_of_arguments(chunk: Chunk, call: Call) -> bool:
    """Whether a call is returned in an `if` that asks for nothing but arguments."""
    if not isinstance(call.parent, Return):
        return False
    inner: Node = call
    for outer in call.parents():
        if isinstance(outer, If):
            condition = next((one for one, block in outer.arms if block is inner), None)
            return condition is not None and _asks_arguments(chunk, condition)
        if isinstance(outer, Function):
            return False
        inner = outer
    return False


def _asks_arguments(chunk: Chunk, condition: Expression) -> bool:
    asked = [one for one in operands_of(condition) if not isinstance(one, CONSTANT)]
    values = [chunk.value(one) for one in asked]
    return bool(values) and all(
        value.symbol == "ARGV" or value.origin == Origin.ARGV for value in values
    )
