"""RL507."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, String, bare
from redislua.syntax.sites import CommandCall

GROUPS = {"list": "list", "set": "set", "sorted-set": "sorted set", "stream": "stream"}
"""Command groups whose keys hold as many elements as somebody adds."""

TYPES = {"list": "list", "set": "set", "zset": "sorted set", "stream": "stream"}


class BigDelete(Rule):
    """`DEL` removes a collection.

    ## Why is this bad?
    `DEL` frees every element before it answers: some 12 to 16 ms for a sorted set of 100 000.
    `UNLINK` takes the key away and frees the memory in another thread, in 0.05 ms.

    ## Example
    ```lua
    local waiting = redis.call('LLEN', KEYS[1])
    redis.call('DEL', KEYS[1])
    return waiting
    ```

    Use instead:
    ```lua
    local waiting = redis.call('LLEN', KEYS[1])
    redis.call('UNLINK', KEYS[1])
    return waiting
    ```

    ## Limits
    Only keys that the header declares to be a list, a set, a sorted set or a stream, or that
    the same script uses as one. Hashes are mostly objects of a few fields. Valkey 8 and
    servers with `lazyfree-lazy-user-del yes` treat both commands alike.

    ## Fix
    The name of the command is replaced. The reply is the same.
    """

    code = "RL507"
    name = "big-delete"
    severity = Severity.INFO
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield DEL of keys that are collections."""
        for command in chunk.commands:
            if command.name != "DEL":
                continue
            for key in command.key_arguments():
                kind = _kind(chunk, command, key)
                if kind:
                    yield self.at(
                        command.node,
                        f"DEL frees the whole {kind} `{chunk.text(key)}` before it answers",
                        help="UNLINK frees it in the background",
                        fix=_fix(command),
                    )
                    break


def _kind(chunk: Chunk, command: CommandCall, key: Expression) -> str:
    """What a key holds, as far as the header and the other commands on it tell; ``""`` if unknown."""
    symbol = symbol_of(chunk, key)
    if symbol is None:
        return ""
    if chunk.script is not None and isinstance(symbol, tuple) and symbol[0] == "KEYS":
        index = symbol[1]
        if isinstance(index, float) and 0 < index <= len(chunk.script.keys):
            return TYPES.get(chunk.script.keys[int(index) - 1].redis_type, "")
    for other in chunk.commands:
        if other is command or other.row is None or other.row.group not in GROUPS:
            continue
        if any(symbol_of(chunk, one) == symbol for one in other.key_arguments()):
            return GROUPS[other.row.group]
    return ""


def _fix(command: CommandCall) -> Fix | None:
    first = bare(command.first)
    if not isinstance(first, String) or first.end - first.start != len("'DEL'"):
        return None
    word = b"unlink" if first.text.islower() else b"UNLINK"
    edit = Edit(first.start + 1, first.end - 1, word)
    return Fix("Replace DEL with UNLINK", (edit,))
