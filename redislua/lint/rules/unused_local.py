"""RL701."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index, Local, Name, Node, bare
from redislua.syntax.variables import Variable


class UnusedLocal(Rule):
    """A local is never read.

    ## Why is this bad?
    Either it is left over, and a command may run for nothing, or another name is read where
    this one was meant.

    ## Example
    ```lua
    local size = redis.call('SCARD', KEYS[1])
    return redis.call('SADD', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua
    return redis.call('SADD', KEYS[1], ARGV[1])
    ```

    ## Limits
    Parameters, loop variables and names that begin with `_` may be unused, and so may those
    of `local a, b = f()` before one that is used. Unused names of `KEYS` and `ARGV` in
    a script with a header are another rule's.
    """

    code = "RL701"
    name = "unused-local"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each local that nothing reads."""
        for variable in chunk.variables:
            if variable.reads or variable.name.startswith("_"):
                continue
            if variable.kind not in ("local", "function"):
                continue
            node = variable.definitions[0].node if variable.definitions else None
            if isinstance(node, Local) and _is_needed(chunk, node, variable):
                continue
            what = "set, but never read" if len(variable.definitions) > 1 else "never used"
            yield self.at(variable, f"`{variable.name}` is {what}", help="remove it")


def _is_needed(chunk: Chunk, node: Local, variable: Variable) -> bool:
    """Whether its place must be filled, or another rule speaks of it."""
    at = node.variables.index(variable)
    if sum(one.name == variable.name for one in node.variables) > 1:
        return True
    if any(one.reads for one in node.variables[at + 1 :]) and len(node.values) <= at + 1:
        return True
    value = bare(node.values[at]) if at < len(node.values) else None
    return chunk.script is not None and _is_of_prologue(value)


def _is_of_prologue(value: Node | None) -> bool:
    return (
        isinstance(value, Index)
        and isinstance(value.base, Name)
        and value.base.variable is None
        and value.base.id in ("KEYS", "ARGV")
    )
