"""RL308."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.numbers import fraction_in
from redislua.lint.replies import has_resp3
from redislua.lint.returned import returned
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Constant, String, Table
from redislua.syntax.values import Kind, Value

WHOLE = (Constant, String, Table)
"""What is no number, whatever it holds."""
SCORES = ("ZSCORE", "ZINCRBY")


class ReplyTruncation(Rule):
    """A number that may have a fraction is the reply, or part of it.

    ## Why is this bad?
    The server sends whole numbers: `return 0.75` arrives as 0.

    ## Example
    ```lua
    return redis.call('LLEN', KEYS[1]) / redis.call('LLEN', KEYS[2])
    ```

    Use instead:
    ```lua
    return tostring(redis.call('LLEN', KEYS[1]) / redis.call('LLEN', KEYS[2]))
    ```

    ## Limits
    Only where the script itself divides, takes a root or multiplies by a constant like 1.5, and
    for distances (`WITHDIST`, `GEODIST`) and floats that a command counts. A score that becomes
    a number is information only: most scores are whole.
    """

    code = "RL308"
    name = "reply-truncation"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such number."""
        for shown, part in returned(chunk):
            if isinstance(part, WHOLE):
                continue
            cause = fraction_in(chunk, part)
            if cause is not None and not has_resp3(chunk):
                why = "" if cause is part else f" (by {quoted(chunk, cause)})"
                yield self.at(
                    shown,
                    f"{quoted(chunk, shown)} may have a fraction{why}, which a reply loses",
                    help="return `tostring(…)` of it, or round it with `math.floor`",
                )
            elif cause is None and _is_score(chunk.value(part)) and not has_resp3(chunk):
                yield self.at(
                    shown,
                    f"{quoted(chunk, shown)} is a score: a reply loses its fraction, if it has one",
                    help="return it as the text that it is, without `tonumber`",
                    severity=Severity.INFO,
                )


def _is_score(value: Value) -> bool:
    """Whether it is a score that was made a number."""
    return (
        value.reply is not None
        and value.reply.name in SCORES
        and value.can_be(Kind.NUMBER)
        and not value.can_be(Kind.STRING)
    )
