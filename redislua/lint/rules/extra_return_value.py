"""RL317."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, Expression, Function, bare
from redislua.syntax.sites import function_of


class ExtraReturnValue(Rule):
    """More than one value is returned to the caller, who gets the first.

    ## Why is this bad?
    A reply is one value. The server sends the first that the script returns, and drops the
    others: `return nil, 'reason'` is a plain nil.

    ## Example
    ```lua
    local taken = redis.call('INCR', KEYS[1])
    return taken, redis.call('PTTL', KEYS[1])
    ```

    Use instead:
    ```lua
    local taken = redis.call('INCR', KEYS[1])
    return {taken, redis.call('PTTL', KEYS[1])}
    ```

    ## Limits
    Knows what is written in the script's own `return`, `unpack` there, and functions of the
    script that it calls there.
    """

    code = "RL317"
    name = "extra-return-value"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each value that is not sent."""
        for statement in chunk.main.returns:
            if len(statement.values) > 1:
                extra = statement.values[1]
                message = f"{quoted(chunk, extra)} is not sent: a reply is one value"
                help_ = "return a table, or `redis.error_reply` for an error"
                yield self.at(extra, message, help=help_)
            elif statement.values:
                yield from self._of_call(chunk, statement.values[0])

    def _of_call(self, chunk: Chunk, value: Expression) -> Iterator[Finding]:
        # In parentheses a call gives one value, and the script says so.
        if not isinstance(value, Call):
            return
        if value.path in ("unpack", "table.unpack"):
            message = f"{quoted(chunk, value)} sends one element: a reply is one value"
            yield self.at(value, message, help="return the table itself")
            return
        function = function_of(value) if value.method is None else None
        if function is not None and (several := _several(function)) is not None:
            what = f"{quoted(chunk, several)}, which `{function.name}` returns, too,"
            message = f"{what} is not sent: a reply is one value"
            yield self.at(value, message, severity=Severity.WARNING, help="return a table")


def _several(function: Function) -> Expression | None:
    """The first second value that a function returns."""
    for statement in function.returns:
        if len(statement.values) > 1:
            second: Expression = bare(statement.values[1])
            return second
    return None
