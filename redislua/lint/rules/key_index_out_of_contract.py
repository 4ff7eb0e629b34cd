"""RL205."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.declared import declared, places
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class KeyIndexOutOfContract(Rule):
    """`KEYS` or `ARGV` is indexed beyond what the header declares.

    ## Why is this bad?
    The binding passes what the header declares and nothing more, so the value is always nil:
    a command with it fails, and a comparison with it is decided.

    ## Example
    ```lua
    #!lua
    --- Keep a value for a minute.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @arg     value bytes 0..100
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example one value
    --   script name=a value=b -> 1

    local kept = KEYS[1]
    local value = ARGV[1]

    redis.call('SET', kept, value, 'PX', ARGV[2])
    return 1
    ```

    Use instead:
    ```lua
    #!lua
    --- Keep a value for a minute.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @arg     value bytes 0..100
    -- @arg     ttl   ms 1..60_000
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example one value
    --   script name=a value=b ttl=5ms -> 1

    local kept = KEYS[1]
    local value, ttl_ms = ARGV[1], ARGV[2]

    redis.call('SET', kept, value, 'PX', ttl_ms)
    return 1
    ```

    ## Limits
    Indexes that are computed are passed over, and so are those behind the first place of a
    variadic key or a group.
    """

    code = "RL205"
    name = "key-index-out-of-contract"
    severity = Severity.ERROR
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield indexes that the header knows nothing of."""
        for place in places(chunk):
            known = declared(chunk)[place.table]
            if place.number is None or 1 <= place.number <= len(known.names):
                continue
            if known.is_open and place.number > 0:
                continue
            count = len(known.names)
            what = "keys" if place.table == "KEYS" else "arguments and channels"
            yield self.at(
                place.node,
                f"{place.table}[{place.number}] is always nil: the header declares "
                f"{count or 'no'} {what}",
                help="declare it in the header, or take the number of one that is declared",
            )
