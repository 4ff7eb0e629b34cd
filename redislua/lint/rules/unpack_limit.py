"""RL504."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.lengths import length_of
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk


class UnpackLimit(Rule):
    """A table that may be long is unpacked.

    ## Why is this bad?
    `unpack` gives about 8,000 values: with more the script stops with
    `too many results to unpack`, just when there is much to do.

    ## Example
    ```lua
    return redis.call('SADD', KEYS[1], unpack(ARGV))
    ```

    Use instead:
    ```lua
    for first = 1, #ARGV, 1000 do
      redis.call('SADD', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
    end
    return 1
    ```

    ## Limits
    Replies that nothing bounds, and tables that a loop over such a reply fills, are warnings;
    `ARGV`, whole hashes and what a loop over arguments fills are information. Silent for
    `KEYS`, for slices, and where the script looks at the length of the table.
    """

    code = "RL504"
    name = "unpack-limit"
    severity = Severity.WARNING
    needs = frozenset({"unpack", "table.unpack"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such call."""
        for call in chunk.calls_to("unpack", "table.unpack"):
            if len(call.arguments) == 1:
                found = length_of(chunk, call.arguments[0])
                if found is not None:
                    by, severity = found
                    yield self.at(
                        call,
                        f"{quoted(chunk, call)} fails above some 8,000 elements: {by}",
                        help="unpack slices of 1,000 in a loop",
                        severity=severity,
                    )
