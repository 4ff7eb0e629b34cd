"""RL507."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import String, bare
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
    needs = frozenset({"DEL"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield DEL of keys that are collections."""
        deletions = [one for one in chunk.commands if one.name == "DEL"]
        kinds = _kinds(chunk) if deletions else {}
        for command in deletions:
            for key in command.key_arguments():
                kind = kinds.get(symbol_of(chunk, key), "")
                if kind:
                    yield self.at(
                        command.node,
                        f"DEL frees the whole {kind} {quoted(chunk, key)} before it answers",
                        help="UNLINK frees it in the background",
                        fix=_fix(command),
                    )
                    break


def _kinds(chunk: Chunk) -> dict[object, str]:
    """What keys hold, as far as the header and the commands on them tell; by their symbols."""
    found: dict[object, str] = {}
    for command in chunk.commands:
        kind = GROUPS.get(command.row.group) if command.row is not None else None
        if kind is not None:
            for key in command.key_arguments():
                found.setdefault(symbol_of(chunk, key), kind)
    for position, one in enumerate(chunk.script.keys if chunk.script is not None else (), 1):
        found["KEYS", float(position)] = TYPES.get(one.redis_type, "")
    found.pop(None, None)
    return found


def _fix(command: CommandCall) -> Fix | None:
    first = bare(command.first)
    if not isinstance(first, String) or first.end - first.start != len("'DEL'"):
        return None
    word = b"unlink" if first.text.islower() else b"UNLINK"
    edit = Edit(first.start + 1, first.end - 1, word)
    return Fix("Replace DEL with UNLINK", (edit,))
