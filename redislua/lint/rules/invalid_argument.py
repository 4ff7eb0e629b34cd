"""RL108."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.tables import is_table
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Constant,
    Expression,
    Name,
    Number,
    String,
    Table,
    Unary,
    bare,
)
from redislua.syntax.values import Kind, Value

WRONG = Kind.NIL | Kind.BOOLEAN | Kind.TABLE | Kind.FUNCTION


class InvalidArgument(Rule):
    """A command gets something that is neither a string nor a number.

    ## Why is this bad?
    The call fails with `Command arguments must be strings or integers` when that line runs.
    A comparison gives a boolean; a list must be unpacked.

    ## Example
    ```lua
    return redis.call('SET', KEYS[1], ARGV[1] == 'yes')
    ```

    Use instead:
    ```lua
    return redis.call('SET', KEYS[1], ARGV[1] == 'yes' and 1 or 0)
    ```

    ## Limits
    Reported is what can be nothing else: not a reply or an argument that may be missing.
    `x or nil` is a warning: where `x` is missing, the call fails.
    """

    code = "RL108"
    name = "invalid-argument"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each argument that no command takes."""
        for command in chunk.commands:
            last = command.arguments[-1] if command.is_open and command.arguments else None
            for argument in command.arguments:
                if argument is last:
                    continue
                value = chunk.value(argument)
                name = command.name or "a command"
                if value.can_be(Kind.TABLE) and is_table(chunk, argument):
                    value = value.without(~Kind.TABLE)
                if value.is_only(WRONG):
                    what, help_ = _words(chunk, argument, value)
                    message = f"{what}, which `{name}` cannot take"
                    yield self.at(argument, message, help=help_)
                elif _is_or_nil(chunk, argument):
                    message = f"{quoted(chunk, argument)} may be nil, which `{name}` cannot take"
                    help_ = "give it a default, or call the command only where it is there"
                    yield self.at(argument, message, help=help_, severity=Severity.WARNING)


def _is_or_nil(chunk: Chunk, argument: Expression) -> bool:
    """Whether it is written ``x or nil``, there or where its local gets it."""
    node = bare(argument)
    if type(node) is Name and node.variable is not None:
        value = bare(node.variable.only_value())
        if type(value) is Binary and chunk.is_tested(node):
            return False
        node = value
    if type(node) is not Binary or node.operator != "or":
        return False
    right = bare(node.right)
    is_falsy = isinstance(right, Constant) and right.word != "true"
    return is_falsy and not isinstance(bare(node.left), String | Number)


def _words(chunk: Chunk, argument: Expression, value: Value) -> tuple[str, str]:
    text = chunk.text(argument)
    shown = text if len(text) <= 40 and "\n" not in text else "this"
    node = bare(argument)
    if value.is_only(Kind.BOOLEAN):
        if isinstance(node, Binary | Unary):
            return f"`{shown}` is true or false", f"write `{shown} and 1 or 0`"
        return f"`{shown}` is a boolean", "pass 1 or 0"
    if value.is_only(Kind.TABLE):
        if value.reply is not None:
            return (
                f"`{shown}` is a table: the reply of `{value.reply.name}`",
                "pass one of its fields",
            )
        if isinstance(node, Table):
            return f"`{shown}` is a table", "pass its elements one by one, or through `unpack`"
        return f"`{shown}` is a table", "pass it through `unpack`, or encode it"
    if value.is_only(Kind.NIL):
        if isinstance(node, Constant):
            return "`nil` is no value", "leave it out, or pass an empty string"
        return f"`{shown}` is nil here", "give it a value first"
    return f"`{shown}` is neither a string nor a number", "pass a string or a number"
