"""RL702."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import block_of
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Local, Node
from redislua.syntax.variables import Variable

_BUILTINS = """
    ARGV KEYS assert bit cjson cmsgpack error ipairs math next pairs pcall redis select string
    struct table tonumber tostring type unpack
    """
BUILTINS = frozenset(_BUILTINS.split())


class ShadowedName(Rule):
    """A local hides something else of that name.

    ## Why is this bad?
    Below it the name means the local: `table.insert` fails where `table` is an argument. And a
    `local` too many in a block leaves the outer variable as it was.

    ## Example
    ```lua
    local type = ARGV[1]
    return redis.call('SADD', KEYS[1], type)
    ```

    Use instead:
    ```lua
    local kind = ARGV[1]
    return redis.call('SADD', KEYS[1], kind)
    ```

    ## Limits
    Parameters and loop variables may have the name of a local outside, and a local may be
    made of what it hides (`local n = tonumber(n)`, `local redis = redis`).
    """

    code = "RL702"
    name = "shadowed-name"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each local that hides a builtin or another local."""
        seen: dict[str, list[tuple[Variable, int]]] = {}
        for variable in chunk.variables:
            name = variable.name
            if name in BUILTINS and not _uses(chunk, variable):
                yield self.at(variable, f"`{name}` hides Lua's own", help="give it another name")
            if variable.kind != "local" or name.startswith("_"):
                continue
            visible = seen.setdefault(name, [])
            while visible and visible[-1][1] <= variable.start:
                visible.pop()
            hidden = visible[-1][0] if visible else None
            if hidden is not None and _is_hidden(hidden, variable) and not _uses(chunk, variable):
                message = f"`{name}` hides the local of line {chunk.line(hidden)}"
                yield self.at(variable, message, help="give it another name, or assign")
            block = block_of(_statement(variable))
            visible.append((variable, block.end if block is not None else variable.end))


def _statement(variable: Variable) -> Node:
    return variable.definitions[0].node if variable.definitions else variable


def _is_hidden(outer: Variable, inner: Variable) -> bool:
    """Whether it is another statement's, in the same function."""
    return outer.function is inner.function and _statement(outer) is not _statement(inner)


def _uses(chunk: Chunk, variable: Variable) -> bool:
    """Whether its value is made of what it hides."""
    node = _statement(variable)
    if not isinstance(node, Local):
        return False
    word = re.compile(rf"\b{re.escape(variable.name)}\b")
    return any(word.search(chunk.text(value)) for value in node.values)
