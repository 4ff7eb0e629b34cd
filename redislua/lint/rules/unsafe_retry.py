"""RL804."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Origin

ADDING = frozenset(
    [
        "APPEND",
        "BITFIELD",
        "DECR",
        "DECRBY",
        "HINCRBY",
        "HINCRBYFLOAT",
        "INCR",
        "INCRBY",
        "INCRBYFLOAT",
        "LINSERT",
        "LMOVE",
        "LMPOP",
        "LPOP",
        "LPUSH",
        "LPUSHX",
        "RPOP",
        "RPOPLPUSH",
        "RPUSH",
        "RPUSHX",
        "SPOP",
        "XADD",
        "ZINCRBY",
        "ZMPOP",
        "ZPOPMAX",
        "ZPOPMIN",
    ]
)
"""Commands that change a key once more when they come again."""


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
            if not _adds(command):
                continue
            if _is_compared(chunk, command) or _is_looked_up(chunk, command):
                continue
            yield self.at(
                command.node,
                f"{command.name} adds once more when the call is sent again, and `@retry` is safe",
                help="keep a token of the last call and compare it first, or say `@retry never`",
            )


def _adds(command: CommandCall) -> bool:
    if command.name == "XADD":
        return b"*" in command.words()[1:]
    return command.name in ADDING or (command.name == "ZADD" and command.has_word("INCR"))


def _is_compared(chunk: Chunk, write: CommandCall) -> bool:
    """Whether an argument is compared with something stored before a write."""
    for node in chunk.of(Binary):
        if node.operator in ("==", "~=") and node.start < write.start:
            sides = [chunk.value(side).origin for side in (node.left, node.right)]
            if any(Origin.STORED in one for one in sides) and any(
                Origin.ARGV in one for one in sides
            ):
                return True
    return False


def _is_looked_up(chunk: Chunk, write: CommandCall) -> bool:
    """Whether a command above a write is about an owner or a token, or writes but once."""
    script = chunk.script
    wanted = {
        ("ARGV", float(number))
        for number, arg in enumerate(script.args if script is not None else (), 1)
        if arg.type.kind in ("owner", "token")
    }
    for other in chunk.commands:
        if other.start >= write.start:
            break
        if other.name in ("SETNX", "HSETNX", "MSETNX") or other.has_word("NX"):
            return True
        if any(_holds(chunk, argument, wanted) for argument in other.arguments):
            return True
    return False


def _holds(chunk: Chunk, argument: Expression, wanted: set[tuple[str, float]]) -> bool:
    """Whether an argument is one of these, or made from it."""
    stack = [chunk.value(argument).symbol]
    while stack:
        symbol = stack.pop()
        if isinstance(symbol, tuple):
            if symbol in wanted:
                return True
            stack.extend(symbol)
    return False
