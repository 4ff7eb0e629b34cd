"""RL204."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.keys import DECLARED, distinct_keys, slot_is_proven, tag_of
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression
from redislua.syntax.values import Origin, Value


class CrossSlotMultiKey(Rule):
    """One command uses keys that may lie on several slots.

    ## Why is this bad?
    A cluster checks that all of `KEYS` lie on one slot, before the script starts. Keys that
    are not in `KEYS` are checked by the command itself: `RENAME`, `SUNIONSTORE` or `MSET`
    across slots fails in the middle of the script. On Valkey 9.0 and 9.1 one such failure
    makes every later script of that node fail until it is started anew.

    ## Example
    ```lua
    --!df flags=allow-undeclared-keys
    return redis.call('RENAME', KEYS[1], 'archive:' .. ARGV[1])
    ```

    Use instead:
    ```lua
    return redis.call('RENAME', KEYS[1], KEYS[2])
    ```

    ## Limits
    Silent where all keys of the command are in `KEYS`, where header or text prove one slot
    (a key with a hash tag and what is appended to it), and where the number of keys is not
    known.
    """

    code = "RL204"
    name = "cross-slot-multi-key"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command with keys of more than one slot, as far as the text tells."""
        for command in chunk.commands:
            if len(command.arguments) < 2:
                continue
            keys = distinct_keys(chunk, command)
            if len(keys) < 2 or not _may_differ(chunk, keys):
                continue
            names = " and ".join(quoted(chunk, key) for key, _ in keys[:2])
            message = f"{command.name} on {names}: nothing keeps them on one slot"
            yield self.at(command.node, message, help="pass all of them in KEYS, with one hash tag")


def _may_differ(chunk: Chunk, keys: list[tuple[Expression, Value]]) -> bool:
    tags = {tag_of(value) for _, value in keys}
    if len(tags) == 1 and None not in tags:
        return False
    undeclared = [
        key
        for key, value in keys
        if value.origin != Origin.KEYS
        and not (value.origin == Origin.DERIVED and slot_is_proven(chunk, key))
    ]
    known = all(value.origin and Origin.UNKNOWN not in value.origin for _, value in keys)
    return bool(undeclared) and known and _are_apart(keys)


def _are_apart(keys: list[tuple[Expression, Value]]) -> bool:
    """Whether some of them are not what was read from one reply: nobody knows those."""
    return any(value.origin & (DECLARED | Origin.ARGV | Origin.LITERAL) for _, value in keys)
