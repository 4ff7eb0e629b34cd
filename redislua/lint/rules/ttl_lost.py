"""RL602."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.conditions import operands_of
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.expiry import (
    ASKING,
    GIVING,
    creating,
    drops,
    expiring,
    follows,
    gives,
    stored_parts,
)
from redislua.lint.leaving import is_unreachable
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import If, Node
from redislua.syntax.sites import CommandCall


class TtlLost(Rule):
    """`SET` takes away an expiry that the script gives or reads elsewhere.

    ## Why is this bad?
    `SET` and `GETSET` without an option remove the expiry of the key; `INCR`, `APPEND` and
    `HSET` keep it. The key then stays for ever.

    ## Example
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    redis.call('SET', KEYS[1], ARGV[1])
    return left
    ```

    Use instead:
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
    return left
    ```

    ## Limits
    Silent where an expiry follows on some path, where the caller chooses between a key with
    and one without expiry, in an `if` that asks what `TTL` answered, and about code that never
    runs. Keys that a header declares with
    `expires` are left to `missing-expire`.
    """

    code = "RL602"
    name = "ttl-lost"
    severity = Severity.WARNING
    needs = GIVING | ASKING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield writes that drop an expiry."""
        timed = [one for one in chunk.commands if one.arguments and _is_timed(one)]
        for command in creating(chunk) if timed else ():
            if not drops(command):
                continue
            symbol = symbol_of(chunk, command.arguments[0])
            if symbol is None or _is_declared(chunk, symbol):
                continue
            other = _evidence(chunk, timed, command, symbol)
            if other is None or is_unreachable(command.node):
                continue
            if any(_is_known_at(chunk, one, command.node) for one in timed):
                continue
            if follows(chunk, command.node, expiring(chunk, symbol)).is_there:
                continue
            verb = "asks for" if other.name in ASKING else "gives"
            yield self.at(
                command.node,
                f"{command.name} takes away the expiry of {quoted(chunk, command.arguments[0])}, "
                f"which the script {verb} in line {chunk.line(other.node)}",
                help="add KEEPTTL, or give the expiry anew with PX",
            )


def _is_known_at(chunk: Chunk, asking: CommandCall, node: Node) -> bool:
    """Whether a place is in an ``if`` that looks at what a command told of an expiry."""
    return asking.name in ASKING and any(
        chunk.value(operand).reply is asking
        for outer in node.parents()
        if isinstance(outer, If)
        for condition, _ in outer.arms
        for operand in operands_of(condition)
    )


def _is_declared(chunk: Chunk, symbol: object) -> bool:
    return chunk.script is not None and any(
        key.expires and symbol == ("KEYS", float(position))
        for position, key in enumerate(chunk.script.keys, 1)
    )


def _is_timed(command: CommandCall) -> bool:
    """Whether a command shows its key to have an expiry."""
    return gives(command) or command.name in ASKING


def _evidence(
    chunk: Chunk, timed: list[CommandCall], command: CommandCall, symbol: object
) -> CommandCall | None:
    """Another command that shows the key to have an expiry."""
    for other in timed:
        if (
            other is not command
            and not is_unreachable(other.node)
            and symbol_of(chunk, other.arguments[0]) == symbol
            and not _is_choice(chunk, command.node, other.node)
        ):
            return other
    return None


def _is_choice(chunk: Chunk, one: Node, other: Node) -> bool:
    """Whether two places are in arms of one ``if`` that does not ask what is stored."""
    around = {id(node): node for node in one.parents()}
    child: Node = other
    for outer in other.parents():
        if isinstance(outer, If) and id(outer) in around:
            inside = next(
                (block for _, block in outer.arms if id(block) in around), outer.otherwise
            )
            return inside is not child and not any(
                list(stored_parts(chunk, condition)) for condition, _ in outer.arms
            )
        child = outer
    return False
