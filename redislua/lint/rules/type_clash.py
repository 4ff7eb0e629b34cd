"""RL407."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.each_key import comes_to_all, loop_over_keys
from redislua.lint.reach import runs_before
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, Node
from redislua.syntax.sites import CommandCall

TYPES = {
    "string": "string",
    "bitmap": "string",
    "hyperloglog": "string",
    "hash": "hash",
    "list": "list",
    "set": "set",
    "sorted-set": "sorted set",
    "geo": "sorted set",
    "stream": "stream",
}
REPLACING = ("SET", "MSET", "SETEX", "PSETEX", "GETSET", "BITOP", "GETDEL")
ANY_INPUT = ("ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD")
LOOKING = ("EXISTS", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "TTL", "PTTL", "PERSIST")


class TypeClash(Rule):
    """Two commands take one key for values of two types.

    ## Why is this bad?
    The second one fails with `WRONGTYPE`, and what the script wrote before stays.

    ## Example
    ```lua
    redis.call('SADD', KEYS[1], ARGV[1])
    return redis.call('LPUSH', KEYS[1], ARGV[2])
    ```

    Use instead:
    ```lua
    redis.call('SADD', KEYS[1], ARGV[1])
    return redis.call('LPUSH', KEYS[2], ARGV[2])
    ```

    ## Limits
    Only where the first command always runs before the second, and nothing in between deletes,
    replaces or renames the key or asks for its type.
    """

    code = "RL407"
    name = "type-clash"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the second command of each such pair."""
        seen: dict[Hashable, list[tuple[str, CommandCall]]] = {}
        every: list[tuple[str, CommandCall, Node]] = []  # what a loop did to each of KEYS
        for command in chunk.commands:
            for key in command.key_arguments():
                symbol = chunk.value(key).symbol
                loop = loop_over_keys(chunk, key)
                of_type = _type_of(command)
                if loop is not None:
                    if of_type and command.name not in REPLACING:
                        every.append((of_type, command, loop))
                    else:
                        every = []
                if symbol is None:
                    continue
                if of_type == "" or command.name in REPLACING:
                    every = [] if command.name not in LOOKING else every
                elif (clash := _clash(chunk, every, symbol, of_type, command)) is not None:
                    yield self._finding(chunk, key, of_type, command, *clash)
                    continue
                if of_type == "":
                    if command.name not in LOOKING and not command.is_protected:
                        seen.pop(symbol, None)  # deleted, renamed, asked for its type …
                    continue
                before = seen.setdefault(symbol, [])
                if command.name in REPLACING:
                    before.clear()
                for other, earlier in before:
                    if other != of_type and runs_before(earlier.node, command.node):
                        yield self._finding(chunk, key, of_type, command, other, earlier)
                        break
                else:
                    before.append((of_type, command))

    def _finding(
        self,
        chunk: Chunk,
        key: Expression,
        of_type: str,
        command: CommandCall,
        other: str,
        earlier: CommandCall,
    ) -> Finding:
        message = (
            f"{command.name} takes {quoted(chunk, key)} for a {of_type}, and "
            f"{earlier.name} for a {other}"
        )
        return self.at(command.node, message, help="use two keys")


def _clash(
    chunk: Chunk,
    every: list[tuple[str, CommandCall, Node]],
    symbol: Hashable,
    of_type: str,
    command: CommandCall,
) -> tuple[str, CommandCall] | None:
    """What a loop did to all KEYS before, as to another type than a command wants."""
    if not isinstance(symbol, tuple) or symbol[0] != "KEYS":
        return None
    return next(
        (
            (other, earlier)
            for other, earlier, loop in every
            if other != of_type
            and loop.end <= command.start
            and runs_before(loop, command.node)
            and comes_to_all(chunk, earlier.node, loop)
        ),
        None,
    )


def _type_of(command: CommandCall) -> str:
    """The type of value that a command needs at its keys; ``""`` if any will do."""
    row = command.row
    if row is None or command.is_protected or not row.takes(len(command.arguments)):
        return ""
    if command.name in ANY_INPUT or "STORE" in (command.name or ""):
        return ""
    return TYPES.get(row.group, "")
