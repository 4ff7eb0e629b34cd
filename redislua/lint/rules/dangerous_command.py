"""RL109."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk

WHOLE = "keep the members in a set or a sorted set, and pass its key in KEYS"
DATABASE = "keep it in its own key space, by a prefix"

DANGEROUS: dict[str, tuple[Severity, str, str]] = {
    "FLUSHALL": (Severity.ERROR, "deletes every key of every database", "delete the keys in KEYS"),
    "FLUSHDB": (Severity.ERROR, "deletes every key of the database", "delete the keys in KEYS"),
    "KEYS": (Severity.ERROR, "walks all keys of the server while nobody else is served", WHOLE),
    "MIGRATE": (Severity.WARNING, "waits for another server while nobody else is served", ""),
    "RANDOMKEY": (Severity.WARNING, "gives a key that nobody declared", WHOLE),
    "SCAN": (Severity.WARNING, "walks all keys of one server, not of a cluster", WHOLE),
    "SELECT": (Severity.WARNING, "changes to another database, which a cluster lacks", DATABASE),
    "SWAPDB": (Severity.WARNING, "swaps databases under every client, and no cluster has it", ""),
}


class DangerousCommand(Rule):
    """A command reaches beyond the keys that the script was given.

    ## Why is this bad?
    `FLUSHALL` and `FLUSHDB` delete what others keep on the server. `KEYS` looks at every key
    while nobody else is served, and in a cluster at those of one node.

    ## Example
    ```lua
    return redis.call('FLUSHDB')
    ```

    Use instead:
    ```lua
    return redis.call('UNLINK', KEYS[1])
    ```

    ## Limits
    `SCAN`, `RANDOMKEY`, `SELECT`, `SWAPDB` and `MIGRATE` are warnings.
    """

    code = "RL109"
    name = "dangerous-command"
    severity = Severity.ERROR
    needs = frozenset(DANGEROUS)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each call of a dangerous command."""
        for command in chunk.commands:
            found = DANGEROUS.get(command.name or "")
            if found is not None:
                severity, what, help_ = found
                where = command.first or command.node
                yield self.at(where, f"`{command.name}` {what}", help=help_, severity=severity)
