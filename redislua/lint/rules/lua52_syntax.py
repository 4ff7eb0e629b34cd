"""RL002."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.problems import found
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class Lua52Syntax(Rule):
    """The script uses syntax that came after Lua 5.1.

    ## Why is this bad?
    Redis and Valkey run Lua 5.1. `goto`, `//`, the operators `& | ~ << >>` and `<const>` came
    later: the server refuses to load the script.

    ## Example
    ```lua
    return tonumber(ARGV[1]) & 1
    ```

    Use instead:
    ```lua
    return bit.band(tonumber(ARGV[1]), 1)
    ```

    ## Limits
    Functions that came later, as `table.unpack`, are not syntax: `lib-not-in-target`.
    """

    code = "RL002"
    name = "lua52-syntax"
    severity = Severity.ERROR
    needs_syntax = False

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each piece of syntax that Lua 5.1 lacks."""
        yield from found(self, chunk, "dialect")
