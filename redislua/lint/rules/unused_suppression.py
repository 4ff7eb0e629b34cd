"""RL901."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class UnusedSuppression(Rule):
    """A comment silences a rule that finds nothing there.

    ## Why is this bad?
    It claims a problem that is gone, and would hide the next one on that line.

    ## Example
    ```lua
    -- redislua: ignore[RL001] -- the file once did not compile
    return redis.call('GET', KEYS[1])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Fix
    The comment is removed if every rule it names is idle.

    ## Limits
    Says nothing of rules that were not asked, because they are not selected, or because
    the file does not compile.
    """

    code = "RL901"
    name = "unused-suppression"
    severity = Severity.WARNING
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:  # noqa: ARG002 - the engine knows them
        """Yield nothing: what was silenced is known when all other rules are done."""
        yield from ()
