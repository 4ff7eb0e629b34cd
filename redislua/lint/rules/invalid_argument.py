"""RL108."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Expression, Table, Unary, bare
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
                if value.is_only(WRONG):
                    what, help_ = _words(chunk, argument, value)
                    name = command.name or "a command"
                    message = f"{what}, which `{name}` cannot take"
                    yield self.at(argument, message, help=help_)


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
