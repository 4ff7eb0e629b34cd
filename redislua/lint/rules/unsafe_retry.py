"""RL804."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.resends import adds, is_guarded
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class UnsafeRetry(Rule):
    """The header says `@retry safe`, but a second execution adds a second time.

    ## Why is this bad?
    With `safe` the runtime sends a call again when it does not know whether the first one was
    executed. `INCR` or `LPUSH` then counts one call twice.

    ## Example
    ```lua
    #!lua
    --- Count a visit.
    --
    -- @version 1.0.0
    -- @key     visits visits:{<page>} string
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example two visits
    --   script page=home -> 1

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

    local visits = KEYS[1]

    return redis.call('INCR', visits)
    ```

    ## Limits
    Silent as soon as the script, above the write, compares an argument with something stored,
    looks up an `owner` or a `token`, or writes with NX: whether that finds every resend is for
    a test with lost replies to show. Writes that only set (SET, HSET, SADD, ZADD) are not
    looked at, though two of them in a row may still answer differently.
    """

    code = "RL804"
    name = "unsafe-retry"
    severity = Severity.WARNING
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield writes that add, where nothing above them can tell a resend."""
        if chunk.script is None or chunk.script.retry != "safe":
            return
        for command in chunk.commands:
            if not adds(command) or is_guarded(chunk, command):
                continue
            yield self.at(
                command.node,
                f"{command.name} adds once more when the call is sent again, and `@retry` is safe",
                help="keep a token of the last call and compare it first, or say `@retry never`",
            )
