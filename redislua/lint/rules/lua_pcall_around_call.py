"""RL404."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, CallStatement, Expression, Function, Return, bare
from redislua.syntax.sites import CALLS


class LuaPcallAroundCall(Rule):
    """Lua's `pcall` is put around a single command.

    ## Why is this bad?
    `redis.pcall` does the same and gives one value: the reply, or a table with `err`.
    Through Lua's `pcall` the command's name and keys are hidden from readers and from every rule.

    ## Example
    ```lua
    local ok, size = pcall(redis.call, 'SCARD', KEYS[1])
    if not ok then
      return redis.error_reply('BADSET ' .. tostring(size))
    end
    return size
    ```

    Use instead:
    ```lua
    local size = redis.pcall('SCARD', KEYS[1])
    if type(size) ~= 'number' then
      return redis.error_reply('BADSET ' .. size.err)
    end
    return size
    ```

    ## Limits
    A function with more in it than one call is not reported.
    """

    code = "RL404"
    name = "lua-pcall-around-call"
    severity = Severity.INFO
    needs = frozenset({"pcall", "xpcall"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each ``pcall`` of nothing but a command."""
        for call in chunk.calls_to("pcall", "xpcall"):
            if call.arguments and _is_command(chunk, call.arguments[0]):
                yield self.at(call, "`pcall` around a command", help="use `redis.pcall`")


def _is_command(chunk: Chunk, called: Expression) -> bool:
    """Whether it is ``redis.call``, or a function that does nothing but call it."""
    node = bare(called)
    if not isinstance(node, Function):
        return chunk.means(node) in CALLS
    statements = node.body.statements
    only = statements[0] if len(statements) == 1 else None
    value: Expression | None = None
    if isinstance(only, CallStatement):
        value = only.call
    elif isinstance(only, Return) and len(only.values) == 1:
        value = only.values[0]
    return isinstance(value, Call) and chunk.command_of(value) is not None
