"""RL503."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import block_of
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import LOOPS, Break, Call, Expression, For, ForIn, Loop, Name, Return
from redislua.syntax.sites import CommandCall
from redislua.syntax.variables import Variable

MEMBERS = {
    **dict.fromkeys(("SADD", "SREM", "LPUSH", "RPUSH", "LPUSHX", "RPUSHX"), 2),
    **dict.fromkeys(("HDEL", "ZREM", "PFADD", "XDEL", "GEOADD"), 2),
    **dict.fromkeys(("HSET", "HMSET", "ZADD", "XACK"), 3),
}
"""Commands that take many members of one key, and the number of arguments for one."""

KEYED = frozenset({"DEL", "UNLINK", "TOUCH", "PFCOUNT"})
"""Commands that take many keys."""

FEW = 8
"""Rounds that are not worth a table."""


class CallPerElement(Rule):
    """A loop calls a command for each element, although one call takes many.

    ## Why is this bad?
    Each call costs half a microsecond to one microsecond before it does anything, and the
    variadic form of a command does its work in a fraction of that.

    ## Example
    ```lua
    local done = redis.call('LRANGE', KEYS[1], 0, 99)
    for _, id in ipairs(done) do
      redis.call('ZREM', KEYS[2], id)
    end
    return #done
    ```

    Use instead:
    ```lua
    local done = redis.call('LRANGE', KEYS[1], 0, 99)
    if #done > 0 then
      redis.call('ZREM', KEYS[2], unpack(done))
    end
    return #done
    ```

    ## Limits
    Only commands whose reply is dropped, since that of many is another, in `for` loops of
    more than eight rounds. `unpack` takes up to 7 999 values:
    longer lists go in chunks of 1 000.
    """

    code = "RL503"
    name = "call-per-element"
    severity = Severity.INFO
    needs = frozenset(LOOPS)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield commands in loops that one call of the same command could do."""
        if not chunk.loops:
            return
        for command in chunk.commands:
            if command.name not in MEMBERS and command.name not in KEYED:
                continue
            loop = _loop_of(chunk, command)
            if loop is None or not _is_one_of_many(command, loop):
                continue
            if _leaves(command):
                continue
            yield self.at(
                command.node,
                f"{command.name} is called for each element, and takes many at once",
                help="collect the elements in a table, and pass them with unpack, 1 000 in a call",
            )


def _loop_of(chunk: Chunk, command: CommandCall) -> Loop | None:
    """The loop that repeats a command whose reply nobody looks at."""
    if command.is_open or not chunk.is_dropped(command.node):
        return None
    function = chunk.function_around(command.node)
    loops = [one for one in chunk.loops_around(command.node) if one.start >= function.start]
    if not loops or not isinstance(loops[0], For | ForIn):
        return None
    bound = chunk.bound(loops[0])
    return None if bound.by == "constant" and (bound.most or 0) <= FEW else loops[0]


def _leaves(command: CommandCall) -> bool:
    """Whether the loop ends behind the command: then it is called once."""
    block = block_of(command.node)
    return block is not None and isinstance(block.statements[-1], Break | Return)


def _is_one_of_many(command: CommandCall, loop: Loop) -> bool:
    count = len(command.arguments)
    name = command.name or ""
    if name in KEYED:
        return count > 0 and any(_changes(one, loop) for one in command.arguments)
    if count != MEMBERS[name]:
        return False
    changing = [_changes(one, loop) for one in command.arguments]
    return any(changing[1:]) and not changing[0] and not (name == "XACK" and changing[1])


def _changes(expression: Expression, loop: Loop) -> bool:
    """Whether an expression may be another in each round."""
    return any(
        variable is None or loop.start <= variable.start < loop.end or _is_set_in(variable, loop)
        for variable in _variables(expression)
    )


def _is_set_in(variable: Variable, loop: Loop) -> bool:
    return any(loop.start <= one.node.start < loop.end for one in variable.definitions)


def _variables(expression: Expression) -> Iterator[Variable | None]:
    """The locals that an expression is made of; None for a call."""
    for child in _within(expression):
        if isinstance(child, Name):
            if child.variable is not None:
                yield child.variable
        elif isinstance(child, Call):
            yield None


def _within(expression: Expression) -> Iterator[Expression]:
    yield expression
    for field in ("left", "right", "operand", "inner", "base", "key"):
        child = getattr(expression, field, None)
        if isinstance(child, Expression):
            yield from _within(child)
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from _within(argument)
