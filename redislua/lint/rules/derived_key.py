"""RL202."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.keys import (
    allows_undeclared,
    compared_with_keys,
    identity,
    is_derived,
    slot_is_proven,
)
from redislua.lint.rule import Rule
from redislua.lint.wording import also, quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, bare


class DerivedKey(Rule):
    """A command uses a key that is made from one in `KEYS`.

    ## Why is this bad?
    A cluster hashes the whole name: `KEYS[1] .. ':meta'` is on another slot than `KEYS[1]`,
    unless the caller put a hash tag into it, `{user:1}`. ACL rules, Dragonfly and kvrocks
    refuse the key in any case, since it was not declared.

    ## Example
    ```lua
    return redis.call('TTL', KEYS[1] .. ':meta')
    ```

    Use instead:
    ```lua
    return redis.call('TTL', KEYS[2])
    ```

    ## Limits
    Silent where the text shows that the slot is the same: the header's pattern of the key has
    a hash tag and the key is a prefix of what is made, or the script puts braces around it,
    `'{' .. KEYS[1] .. '}:meta'`. Silent too in a script that says
    `--!df flags=allow-undeclared-keys`, and for keys that are compared with those in `KEYS`.
    """

    code = "RL202"
    name = "derived-key"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such key where it is used first."""
        found: dict[object, list[Expression]] = {}
        compared: frozenset[str] | None = None
        for command in chunk.commands:
            for key in command.key_arguments():
                if not is_derived(chunk.value(key)) or slot_is_proven(chunk, key):
                    continue
                if allows_undeclared(chunk):
                    return
                if compared is None:
                    compared = compared_with_keys(chunk)
                if chunk.text(bare(key)) not in compared:
                    same = found.setdefault(identity(chunk, key), [])
                    same.append(key)
                    if len(same) == 1:
                        break  # one of a command's keys is enough
        for first, *others in found.values():
            message = f"the key {quoted(chunk, first)} is made from one in KEYS: not declared"
            message += also(chunk, first, others)
            yield self.at(first, message, help="let the caller pass it in KEYS, too")
