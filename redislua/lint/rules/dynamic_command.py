"""RL107."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression, Name, Vararg, bare
from redislua.syntax.reaching import function_around, reaching
from redislua.syntax.values import Origin


class DynamicCommand(Rule):
    """The name of a command is not a literal.

    ## Why is this bad?
    Neither a reader nor a rule can tell what the call does: whether it writes, which of its
    arguments are keys, what it costs. If the name comes from `ARGV`, the caller decides.

    ## Example
    ```lua
    return redis.call(ARGV[1], KEYS[1])
    ```

    Use instead:
    ```lua
    if ARGV[1] == 'hash' then
      return redis.call('HLEN', KEYS[1])
    end
    return redis.call('SCARD', KEYS[1])
    ```

    ## Limits
    A choice between literals (`left and 'LPOP' or 'RPOP'`, or what all calls of a function
    pass) is not reported, nor a function that passes its own arguments on.
    """

    code = "RL107"
    name = "dynamic-command"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command whose name is data."""
        for command in chunk.commands:
            if command.name is not None or command.first is None:
                continue
            if not _is_chosen(chunk, command.first) and not _is_passed_on(command.first):
                message = f"the command is `{chunk.text(command.first)}`: what it does is not known"
                yield self.at(command.first, message, help="write its name")


def _is_chosen(chunk: Chunk, expression: Expression) -> bool:
    """Whether it is one of some literals."""
    node = bare(expression)
    if isinstance(node, Binary) and node.operator in ("and", "or"):
        left = node.operator == "and" or _is_chosen(chunk, node.left)
        return left and _is_chosen(chunk, node.right)
    if isinstance(node, Name) and node.variable is not None and node.variable.kind == "local":
        values = [one.value for one in reaching(node) if one.node.start < node.start]
        return bool(values) and all(one is not None and _is_chosen(chunk, one) for one in values)
    return chunk.value(expression).origin == Origin.LITERAL


def _is_passed_on(expression: Expression) -> bool:
    """Whether it is the ``...`` of a function of the script's own."""
    return isinstance(expression, Vararg) and function_around(expression) is not None
