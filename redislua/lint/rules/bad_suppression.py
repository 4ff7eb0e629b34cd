"""RL902."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class BadSuppression(Rule):
    """A suppression names no reason, names no rule, or cannot be read.

    ## Why is this bad?
    Without a reason nobody can tell later whether it still holds. One that cannot be read
    silences nothing, and looks as if it did.

    ## Example
    ```lua
    -- redislua: ignore RL201, the key is global
    return redis.call('GET', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    Only comments that begin with `redislua:` are looked at.
    """

    code = "RL902"
    name = "bad-suppression"
    severity = Severity.ERROR
    needs_syntax = False

    def check(self, chunk: Chunk) -> Iterator[Finding]:  # noqa: ARG002 - the engine knows them
        """Yield nothing: the engine reads all comments before it asks any rule."""
        yield from ()
