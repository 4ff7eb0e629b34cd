"""RL903."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.errors import HeaderError
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.places import Places
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class BadHeader(Rule):
    """The header of a redislua script cannot be read.

    ## Why is this bad?
    The header is the contract: without it no binding is generated, and no rule that compares
    the script with it can be asked.

    ## Example
    ```lua
    #!lua
    --- Count a visit.
    --
    -- @version 1.0.0
    -- @key     visits visits:{<page>} strnig
    -- @returns int
    -- @retry   never
    -- @budget  calls<=1 growth=1
    -- @example two visits
    --   script page=home -> 1
    --   script page=home -> 2

    local visits = KEYS[1]

    return redis.call('INCR', visits)
    ```

    Use instead:
    ```lua
    #!lua
    --- Count a visit.
    --
    -- @version 1.0.0
    -- @key     visits visits:{<page>} string
    -- @returns int
    -- @retry   never
    -- @budget  calls<=1 growth=1
    -- @example two visits
    --   script page=home -> 1
    --   script page=home -> 2

    local visits = KEYS[1]

    return redis.call('INCR', visits)
    ```

    ## Limits
    A file without shebang, sentence and `@version` has no header, and needs none.
    """

    code = "RL903"
    name = "bad-header"
    severity = Severity.ERROR
    needs_syntax = False

    def check(self, chunk: Chunk) -> Iterator[Finding]:  # noqa: ARG002 - the engine knows them
        """Yield nothing: the engine reads the header before there is a chunk."""
        yield from ()

    @staticmethod
    def finding(problem: HeaderError, places: Places) -> Finding:
        """One mistake in the header."""
        line = max(1, problem.line)
        start = places.offset(line, problem.column)
        end = places.offset(line, problem.column + problem.width)
        return Finding(start, end, problem.problem, f"expected {problem.expected}")
