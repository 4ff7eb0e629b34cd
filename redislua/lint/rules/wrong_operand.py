"""RL320."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.operands import ARITHMETIC, ORDERS
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.tables import is_table
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Binary, Expression, For, Node, Parens, String, Unary, bare
from redislua.syntax.values import Kind, Value

BOOLEAN = Kind.BOOLEAN | Kind.FUNCTION
CONVERSION = "`tonumber` gives nil"
FUNCTIONS = {
    **dict.fromkeys(("string.len", "string.lower", "string.upper", "string.reverse"), 1),
    **dict.fromkeys(("string.sub", "string.byte", "string.rep"), 3),
    **dict.fromkeys(("string.find", "string.match", "string.gmatch", "string.gsub"), 2),
    **dict.fromkeys(("math.floor", "math.ceil", "math.abs", "math.sqrt", "math.log"), 1),
    **dict.fromkeys(("math.max", "math.min", "math.fmod", "math.pow"), 9),
    **dict.fromkeys(("cjson.decode", "cmsgpack.unpack"), 1),
}
"""Functions of texts and numbers, and how many of their arguments must be such."""


class WrongOperand(Rule):
    """A table, a boolean or a text that is no number stands where a number belongs.

    ## Why is this bad?
    `TIME` and `HMGET` give tables. Arithmetic, `<` and `..` on a table stop the script, and
    so do `string.len` and `math.floor` of one, and `'text' + 1`, where `..` was meant;
    `tonumber` of a table is nil.

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
            found = self._operand(chunk, node, use)
            if found is not None and not is_in_protected_call(node):
                yield found
        for unary in chunk.of(Unary):
            value = chunk.value(unary.operand)
            if (
                unary.operator == "#"
                and value.is_only(BOOLEAN | Kind.NUMBER)
                and not is_in_protected_call(unary)
            ):
                message = f"{quoted(chunk, unary.operand)} has no length: `#` stops the script"
                yield self.at(unary, message)

    def _operand(self, chunk: Chunk, node: Expression, use: str) -> Finding | None:
        value = chunk.value(node)
        if value.can_be(Kind.TABLE) and is_table(chunk, node):
            which = f"the table that {value.reply.name} gives" if value.reply else "a table"
            help_ = "take an element: `[1]`" if value.reply else ""
            return self.at(node, f"{quoted(chunk, node)} is {which}: {use}", help=help_)
        if value.is_only(BOOLEAN) and use != CONVERSION and not _is_plain_not(node):
            return self.at(node, f"{quoted(chunk, node)} is {_named(value)}: {use}")
        if isinstance(node, String | Parens) and "arithmetic" in use and _is_no_number(node):
            message = f"{quoted(chunk, node)} is no number: {use}"
            return self.at(node, message, help="`..` joins texts")
        return None


def _is_plain_not(node: Expression) -> bool:
    """Whether it is ``not x`` before a comparison: that is another rule's."""
    outer = node.parent
    return isinstance(node, Unary) and isinstance(outer, Binary) and outer.operator in ORDERS


def _named(value: Value) -> str:
    return "true or false" if value.is_only(Kind.BOOLEAN) else "a function"


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
            yield call.arguments[0], CONVERSION
    for call in chunk.calls:
        if call.method is None and call.path in FUNCTIONS:
            for argument in call.arguments[: FUNCTIONS[call.path]]:
                yield argument, f"`{call.path}` stops the script"


def _is_no_number(node: Node) -> bool:
    inner = bare(node)
    return isinstance(inner, String) and number_of(inner.text.strip()) is None
