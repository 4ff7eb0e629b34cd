"""RL325."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.replies import has_resp3
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Assign,
    Binary,
    Call,
    Expression,
    ForIn,
    If,
    Index,
    Name,
    Node,
    bare,
)
from redislua.syntax.sites import CommandCall

ALWAYS = ("HGETALL", "CONFIG GET", "XINFO STREAM", "ZPOPMIN", "ZPOPMAX")
ON_DEMAND = ("WITHSCORES", "WITHVALUES")
SCANS = ("HSCAN", "ZSCAN")
COUNTING = ("i", "j", "n", "idx", "index", "pos", "position", "_")


class FlatList(Rule):
    """A flat list of names and values is walked one by one, as if it held names alone.

    ## Why is this bad?
    `HGETALL` and `WITHSCORES` reply with name, value, name, value. A loop over each element
    takes every value for a name, too; the first variable of `pairs` is 1, 2, 3, not the name.

    ## Example
    ```lua
    local top = redis.call('ZRANGE', KEYS[1], 0, 9, 'WITHSCORES')
    for _, member in ipairs(top) do
      redis.call('HINCRBY', KEYS[2], member, 1)
    end
    return 1
    ```

    Use instead:
    ```lua
    local top = redis.call('ZRANGE', KEYS[1], 0, 9, 'WITHSCORES')
    for i = 1, #top, 2 do
      redis.call('HINCRBY', KEYS[2], top[i], 1)
    end
    return 1
    ```

    ## Limits
    Only where a command or a text gets the element, and nothing in the loop tells names from
    values: no use of the index, no condition on the element, no variable that keeps it for the
    next round.
    """

    code = "RL325"
    name = "flat-list"
    severity = Severity.WARNING
    needs = frozenset({ForIn})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such loop, at the variable that is not what it seems."""
        for loop in chunk.of(ForIn):
            command = _walked(chunk, loop)
            if command is None or has_resp3(chunk):
                continue
            first = loop.variables[0]
            second = loop.variables[1] if len(loop.variables) > 1 else None
            taken = [read for read in first.reads if _is_name(chunk, read)]
            if taken and first.name not in COUNTING and len(taken) == len(first.reads):
                message = f"`{first.name}` is 1, 2, 3: {command.name} replies with a flat list"
                yield self.at(taken[0], message, help=_help(first.name))
            elif (
                second is not None
                and _is_no_turn(chunk, first.reads, loop)
                and _is_each(chunk, second.reads, loop)
            ):
                message = (
                    f"{quoted(chunk, second)} is a name and a value by turns: "
                    f"{command.name} replies with a flat list"
                )
                yield self.at(second, message, help=_help(second.name))


def _help(name: str) -> str:
    return f"go in steps of two: `for i = 1, #list, 2 do local {name} = list[i]`"


def _walked(chunk: Chunk, loop: ForIn) -> CommandCall | None:
    """The command whose flat list a loop takes apart by ``pairs`` or ``ipairs``."""
    source = bare(loop.values[0]) if loop.values else None
    if not isinstance(source, Call) or source.path not in ("pairs", "ipairs"):
        return None
    if source.path == "ipairs" and len(loop.variables) == 1:
        return None  # the index of whatever list: RL314 tells
    over = bare(source.arguments[0]) if source.arguments else None
    if isinstance(over, Name) and over.variable is not None:
        if over.variable.stores:
            return None
        value = bare(over.variable.only_value())
        over = value if isinstance(value, Index) else over
    if isinstance(over, Index):
        scan = chunk.value(over.base).reply
        is_part = scan is not None and scan.name in SCANS and chunk.value(over.key).constant == 2
        return scan if is_part and scan is not None and not scan.has_word("NOVALUES") else None
    command = chunk.value(over).reply if isinstance(over, Name | Call) else None
    if command is None:
        return None
    is_flat = command.name in ALWAYS or command.has_word(*ON_DEMAND)
    return command if is_flat else None


def _is_name(chunk: Chunk, read: Name) -> bool:
    """Whether it is taken for a name: given to a command, put into a text, or a table's key."""
    outer = read.parent
    return _is_given(chunk, read) or (isinstance(outer, Binary) and outer.operator == "..")


def _is_given(chunk: Chunk, read: Node) -> bool:
    """Whether a command gets a value, alone or in a text, or a table is indexed by it."""
    node, outer = read, read.parent
    while isinstance(outer, Binary) and outer.operator == "..":
        node, outer = outer, outer.parent
    if isinstance(outer, Call):
        return node is not outer.callee and chunk.command_of(outer) is not None
    return isinstance(outer, Index) and outer.key is node and outer.is_written


def _is_each(chunk: Chunk, reads: list[Name], loop: ForIn) -> bool:
    """Whether each element is used for the same, whatever it is."""
    is_given = False
    for read in reads:
        if not isinstance(read.parent, Call | Binary | Index) or _is_compared(read):
            return False
        is_given = is_given or _is_given(chunk, read)
    return is_given and not (_branches(chunk, loop) and _keeps_count(chunk, loop))


def _is_no_turn(chunk: Chunk, reads: list[Name], loop: ForIn) -> bool:
    """Whether nothing that is done with the index can tell names from values."""
    if not reads:
        return True
    return not _branches(chunk, loop) and all(
        isinstance(read.parent, Index)
        or (isinstance(read.parent, Binary) and read.parent.operator in ("+", "-", "*", "/"))
        for read in reads
    )


def _branches(chunk: Chunk, loop: ForIn) -> bool:
    """Whether some of the body is not done in each round."""
    return any(loop.start < one.start < loop.end for one in chunk.of(If)) or any(
        one.operator in ("and", "or") and loop.start < one.start < loop.end
        for one in chunk.of(Binary)
    )


def _is_compared(read: Expression) -> bool:
    outer = read.parent
    if isinstance(outer, Binary):
        return outer.operator != ".."
    # `tonumber(x)` and `type(x)` may tell a score from a member.
    return isinstance(outer, Call) and outer.path in ("tonumber", "type", "table.insert")


def _keeps_count(chunk: Chunk, loop: ForIn) -> bool:
    """Whether the body changes a variable from outside, which may tell the turns."""
    return any(
        isinstance(target, Name)
        and (target.variable is None or not loop.start <= target.variable.start < loop.end)
        for statement in chunk.of(Assign)
        if loop.start < statement.start < loop.end
        for target in statement.targets
    )
