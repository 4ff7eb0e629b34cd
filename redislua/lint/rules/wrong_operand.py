"""RL320."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.operands import ARITHMETIC, ORDERS
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Binary, Expression, For, Node, String, Unary, bare
from redislua.syntax.values import Kind


class WrongOperand(Rule):
    """A table, or a text that is no number, stands where a number belongs.

    ## Why is this bad?
    `TIME` and `HMGET` give tables. Arithmetic, `<` and `..` on a table stop the script, and
    so does `'text' + 1`, where `..` was meant; `tonumber` of a table is nil.

    ## Example
    ```lua
    local now = tonumber(redis.call('TIME'))
    return redis.call('ZADD', KEYS[1], now or 0, ARGV[1])
    ```

    Use instead:
    ```lua
    local now = tonumber(redis.call('TIME')[1])
    return redis.call('ZADD', KEYS[1], now or 0, ARGV[1])
    ```

    ## Limits
    Only what is a table on every path, and texts that are written there.
    """

    code = "RL320"
    name = "wrong-operand"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each operand that no operator takes."""
        for node, use in _operands(chunk):
            if is_in_protected_call(node):
                continue
            value = chunk.value(node)
            what = quoted(chunk, node)
            if value.is_only(Kind.TABLE) and not value.can_fail:
                which = f"the table that {value.reply.name} gives" if value.reply else "a table"
                help_ = "take an element: `[1]`" if value.reply else ""
                yield self.at(node, f"{what} is {which}: {use}", help=help_)
            elif _is_no_number(node) and "arithmetic" in use:
                help_ = "`..` joins texts"
                yield self.at(node, f"{what} is no number: {use}", help=help_)


def _operands(chunk: Chunk) -> Iterator[tuple[Expression, str]]:
    for binary in chunk.of(Binary):
        if binary.operator in ARITHMETIC:
            use = "arithmetic stops the script"
        elif binary.operator in ORDERS:
            use = f"`{binary.operator}` stops the script"
        elif binary.operator == "..":
            use = "`..` stops the script"
        else:
            continue
        yield binary.left, use
        yield binary.right, use
    for unary in chunk.of(Unary):
        if unary.operator == "-":
            yield unary.operand, "arithmetic stops the script"
    for loop in chunk.of(For):
        yield loop.first, "`for` stops the script"
        yield loop.last, "`for` stops the script"
    for call in chunk.calls_to("tonumber"):
        if call.arguments:
            yield call.arguments[0], "`tonumber` gives nil"


def _is_no_number(node: Node) -> bool:
    inner = bare(node)
    return isinstance(inner, String) and number_of(inner.text.strip()) is None
