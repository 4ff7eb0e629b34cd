"""RL808."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.spec.model import Key
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall

TYPES = {
    "string": "string",
    "bitmap": "string",
    "hyperloglog": "string",
    "hash": "hash",
    "list": "list",
    "set": "set",
    "sorted-set": "zset",
    "geo": "zset",
    "stream": "stream",
}
"""The type that the commands of a group work on."""


class WrongTypeOfKey(Rule):
    """A command does not fit the type that the header declares for its key.

    ## Why is this bad?
    The server answers `WRONGTYPE` as soon as the key holds what the header says, or the key
    holds something else and every other script of it fails.

    ## Example
    ```lua
    #!lua
    --- Count a visitor once.
    --
    -- @version 1.0.0
    -- @key     seen    seen:{<page>} set
    -- @arg     visitor str 1..64
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example two visitors
    --   script page=home visitor=a -> 1

    local seen = KEYS[1]
    local visitor = ARGV[1]

    return redis.call('PFADD', seen, visitor)
    ```

    Use instead:
    ```lua
    #!lua
    --- Count a visitor once.
    --
    -- @version 1.0.0
    -- @key     seen    seen:{<page>} set
    -- @arg     visitor str 1..64
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example two visitors
    --   script page=home visitor=a -> 1

    local seen = KEYS[1]
    local visitor = ARGV[1]

    return redis.call('SADD', seen, visitor)
    ```

    ## Limits
    Commands for keys of any type say nothing (DEL, EXPIRE, TYPE, SORT), and `SET` may replace
    a key of any type: it is still a finding where the header declares another one. Sets may
    be the sources of ZUNIONSTORE and its like. Keys are followed through locals alone.
    """

    code = "RL808"
    name = "wrong-type-of-key"
    severity = Severity.ERROR
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield commands on keys of another type."""
        for command in chunk.commands:
            expected = TYPES.get(command.row.group) if command.row is not None else None
            if expected is None:
                continue
            for position, node in enumerate(command.key_arguments()):
                key = _declared(chunk, node)
                if key is None or key.redis_type == expected:
                    continue
                if _takes_sets(command, position) and key.redis_type == "set":
                    continue
                yield self.at(
                    node,
                    f"{command.name} works on a {expected}, and the header declares {key.name} "
                    f"as a {key.redis_type}",
                    help=f"use a command for a {key.redis_type}, or declare the key anew",
                )


def _declared(chunk: Chunk, node: Expression) -> Key | None:
    symbol = chunk.value(node).symbol
    if chunk.script is None or not isinstance(symbol, tuple) or symbol[0] != "KEYS":
        return None
    number, keys = symbol[1], chunk.script.keys
    if isinstance(number, float) and 1 <= number <= len(keys):
        return keys[int(number) - 1]
    return keys[-1] if len(keys) == 1 and keys[0].variadic else None


def _takes_sets(command: CommandCall, position: int) -> bool:
    """Whether a key is one that a sorted set is made of."""
    name = command.name or ""
    return name in ("ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD") or (
        name in ("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE") and position > 0
    )
