"""RL013."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk

OBSOLETE: dict[str, tuple[str, str]] = {
    "gcinfo": ("is Lua 5.0's", "use `collectgarbage('count')`"),
    "math.mod": ("is Lua 5.0's", "use `%`"),
    "redis.replicate_commands": ("does nothing since Redis 7.0", "leave it out"),
    "redis.set_repl": ("makes replicas differ from their primary", "leave it out"),
    "string.gfind": ("is Lua 5.0's", "use `string.gmatch`"),
    "table.foreach": ("is deprecated in Lua 5.1", "use `for k, v in pairs(t)`"),
    "table.foreachi": ("is deprecated in Lua 5.1", "use `for i, v in ipairs(t)`"),
    "table.getn": ("is deprecated in Lua 5.1", "use `#`"),
    "table.setn": ("does nothing in Lua 5.1", "leave it out"),
}


class ObsoleteApi(Rule):
    """A function is called that is obsolete.

    ## Why is this bad?
    `redis.replicate_commands` has had no effect since Redis 7.0. `redis.set_repl` keeps writes
    from replicas, which then hold other data. Others are Lua 5.0's and have a successor.

    ## Example
    ```lua
    return table.getn(ARGV)
    ```

    Use instead:
    ```lua
    return #ARGV
    ```

    ## Limits
    Calls through aliases that are assigned more than once are not seen.
    """

    code = "RL013"
    name = "obsolete-api"
    severity = Severity.INFO
    needs = frozenset(OBSOLETE)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each call of an obsolete function."""
        for call in chunk.calls_to(*OBSOLETE):
            path = call.path or ""
            why, instead = OBSOLETE[path]
            yield self.at(call, f"`{path}` {why}", help=instead)
