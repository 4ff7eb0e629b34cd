"""RL112."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.absent import EMPTY, is_certain, may_lack
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    For,
    If,
    Index,
    Name,
    Node,
    Parens,
    Repeat,
    Unary,
    While,
    bare,
)
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind

LISTS = EMPTY | {"SDIFF", "SINTER", "SUNION", "ZDIFF", "ZINTER", "ZUNION", "HGETALL"}
UNPACKING = ("unpack", "table.unpack")
OPERATORS = (Binary, Call, Index, Parens, Unary)


class EmptyUnpack(Rule):
    """A command gets the elements of a list that may have none, and nothing else.

    ## Why is this bad?
    `unpack` of an empty list gives nothing, and the command then fails with `Wrong number of
    args calling command from script`: when the set is empty, or no key matches.

    ## Example
    ```lua
    local due = redis.call('ZRANGE', KEYS[1], 0, 99)
    redis.call('ZREM', KEYS[1], unpack(due))
    return due
    ```

    Use instead:
    ```lua
    local due = redis.call('ZRANGE', KEYS[1], 0, 99)
    if #due > 0 then
      redis.call('ZREM', KEYS[1], unpack(due))
    end
    return due
    ```

    ## Limits
    An error where the line is always reached, else a warning. Lists that are replies, not
    those that the script fills; silent where the script looks at the list before, or where
    an earlier command on the same key tells that it is there.
    """

    code = "RL112"
    name = "empty-unpack"
    severity = Severity.WARNING
    needs = frozenset(UNPACKING)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first such command of each list."""
        seen: set[tuple[CommandCall | None, str]] = set()
        for command in chunk.commands:
            given = _unpacked(command)
            if given is None:
                continue
            which = chunk.value(given).reply, chunk.text(given)
            if which in seen:
                continue
            seen.add(which)
            reply = chunk.value(given).reply
            if reply is None or reply.name not in LISTS:
                continue
            if not chunk.value(given).is_only(Kind.TABLE) or _is_looked_at(given, command):
                continue
            if may_lack(chunk, reply, command.start):
                message = f"`{command.name}` fails when {reply.name} finds nothing: it gets too few"
                severity = Severity.ERROR if is_certain(chunk, command.node) else Severity.WARNING
                help_ = "ask for the length of the list first"
                yield self.at(command.node, message, help=help_, severity=severity)


def _unpacked(command: CommandCall) -> Expression | None:
    """The list whose elements a command cannot do without, or None."""
    if not command.is_open or command.row is None or command.is_protected:
        return None
    last = bare(command.arguments[-1])
    if not isinstance(last, Call) or last.path not in UNPACKING or len(last.arguments) != 1:
        return None
    is_enough = command.row.takes(len(command.arguments) - 1)
    return None if is_enough or command.row.is_container else bare(last.arguments[0])


def _is_looked_at(given: Expression, command: CommandCall) -> bool:
    """Whether the script asks for a list, or its length, before a command."""
    if not isinstance(given, Name) or given.variable is None:
        return False
    return any(
        read.start < command.start and _is_in_condition(read) for read in given.variable.reads
    )


def _is_in_condition(read: Node) -> bool:
    inner, outer = read, read.parent
    while isinstance(outer, OPERATORS):
        if isinstance(outer, Binary) and outer.operator in ("and", "or"):
            return True
        inner, outer = outer, outer.parent
    if isinstance(outer, If):
        return any(condition is inner for condition, _ in outer.arms)
    if isinstance(outer, While | Repeat):
        return outer.condition is inner
    return isinstance(outer, For)
