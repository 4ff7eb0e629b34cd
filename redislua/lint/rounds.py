"""How often loops run, where the data that is there decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from weakref import WeakKeyDictionary

from redislua.lint.sizes import ORDERS, SIZES, bounds_at, excess
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Block,
    Break,
    Call,
    Expression,
    For,
    ForIn,
    Function,
    If,
    Index,
    Loop,
    Name,
    Node,
    Repeat,
    Return,
    Table,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Origin
from redislua.syntax.variables import Variable

__all__ = ["commands_in", "is_recursive", "replies_of", "surroundings", "unbounded"]

MANY = 10_000
"""Rounds with a command in each that take some 5 ms."""
SLICE = 50


class _Known:
    """What was found out about the loops of one file."""

    def __init__(self, chunk: Chunk) -> None:
        self.inside: dict[Loop, list[CommandCall]] = {}
        self.reasons: dict[Loop, str | None] = {}
        if chunk.loops:
            for command in chunk.commands:
                for loop in chunk.loops_around(command.node):
                    self.inside.setdefault(loop, []).append(command)


_KNOWN: WeakKeyDictionary[Chunk, _Known] = WeakKeyDictionary()


def _known(chunk: Chunk) -> _Known:
    known = _KNOWN.get(chunk)
    if known is None:
        known = _KNOWN[chunk] = _Known(chunk)
    return known


def unbounded(chunk: Chunk, loop: Loop) -> str | None:
    """What decides how often a loop runs, where nothing bounds that; None for other loops.

    Loops over KEYS and ARGV are the caller's to bound, and a loop without commands over
    a reply costs less than the read did: neither counts.
    """
    reasons = _known(chunk).reasons
    if loop not in reasons:
        reasons[loop] = _reason(chunk, loop)
    return reasons[loop]


def _reason(chunk: Chunk, loop: Loop) -> str | None:
    inside = commands_in(chunk, loop)
    if isinstance(loop, While | Repeat):
        is_bounded = chunk.bound(loop).by == "constant"
        return None if is_bounded else _conditional(chunk, loop, inside)
    if not inside:
        return None
    if isinstance(loop, For) and loop.step is not None:
        step = chunk.value(loop.step).constant
        if isinstance(step, float) and abs(step) >= SLICE:
            return None  # one round for each slice
    bound = chunk.bound(loop)
    if bound.by == "constant":
        most = bound.most or 0
        return f"{most:.0f} times" if most > MANY else None
    if bound.by == "argument":
        return _argument(chunk, loop)
    if any(_is_limit(chunk, one, loop) for one in _exits(loop)):
        return None
    if isinstance(loop, For) and _is_capped(chunk, loop):
        return None
    source = loop.values[0] if isinstance(loop, ForIn) else loop.last
    if isinstance(loop, For) and chunk.value(source).is_only(Kind.TABLE):
        return None  # no number: the script stops here, and another rule says so
    for command in replies_of(chunk, source):
        if command.name == "KEYS" or excess(chunk, command) is not None:
            return f"once for each element that {command.name} finds"
        if command.name in SIZES:
            return f"as often as {command.name} says"
    return None


def _is_capped(chunk: Chunk, loop: For) -> bool:
    """Whether the script compares the number of rounds with a bound before it goes round."""
    last = bare(loop.last)
    return (
        isinstance(last, Name)
        and last.variable is not None
        and any(
            read.start < loop.start and bounds_at(chunk, read, loop) for read in last.variable.reads
        )
    )


def surroundings(chunk: Chunk, node: Node) -> Literal["data", "caller", ""]:
    """Which loops a place is in: one that data decides, one that the caller does, or none."""
    loops = chunk.loops_around(node)
    if any(unbounded(chunk, loop) is not None for loop in loops):
        return "data"
    return "caller" if any(chunk.bound(one).by in _CALLERS for one in loops) else ""


_CALLERS = ("keys", "arguments", "argument", "reply")


def commands_in(chunk: Chunk, loop: Loop) -> list[CommandCall]:
    """The commands that a loop repeats, those of functions that it calls included."""
    return _known(chunk).inside.get(loop, [])


def replies_of(chunk: Chunk, expression: Expression | None) -> list[CommandCall]:
    """The commands whose replies an expression can be, or be made from."""
    found: list[CommandCall] = []
    seen: set[Node] = set()
    open_: list[Expression | None] = [expression]
    while open_:
        node = bare(open_.pop())
        if node is None or node in seen:
            continue
        seen.add(node)
        command = chunk.command_of(node)
        if command is not None:
            found.append(command)
        else:
            open_.extend(reversed(list(_sources(chunk, node))))
    return found


def _sources(chunk: Chunk, node: Expression) -> Iterator[Expression]:
    """What an expression is made from."""
    match node:
        case Name() if node.variable is not None:
            for definition in reaching(node):
                if definition.value is not None:
                    yield definition.value
                elif isinstance(definition.node, Function):
                    yield from _given(definition.node, node.variable)
        case Unary(operator="#" | "-"):
            yield node.operand
        case Binary(operator="or" | "and" | "+" | "-" | "*" | "/"):
            yield node.left
            yield node.right
        case Call() if chunk.means(node.callee) in _KEEPING:
            yield from node.arguments[:1]
        case Call():
            function = chunk.function_called(node)
            for one in function.returns if function is not None else ():
                yield from one.values[:1]


def _given(function: Function, parameter: Variable) -> Iterator[Expression]:
    """What the calls of a local function pass for a parameter."""
    position = function.parameters.index(parameter)
    for read in function.variable.reads if function.variable is not None else ():
        call = read.parent
        if isinstance(call, Call) and call.callee is read and position < len(call.arguments):
            yield call.arguments[position]


_KEEPING = ("ipairs", "pairs", "tonumber", "math.floor", "math.ceil", "math.max")


def _conditional(chunk: Chunk, loop: While | Repeat, inside: list[CommandCall]) -> str | None:
    exits = _exits(loop)
    if any(_is_limit(chunk, one, loop) for one in exits):
        return None
    if chunk.bound(loop).by == "nothing":
        if len(exits) == 1 and not _leaves(chunk, loop):
            return "for ever"
        return "until the data ends it" if inside else None
    condition = loop.condition
    is_asked = any(condition.start <= one.start < condition.end for one in inside)
    if inside and (is_asked or _is_stored(chunk, condition)):
        return "until the data ends it"
    return None


def _argument(chunk: Chunk, loop: Loop) -> str | None:
    """A number that the caller gives, where the header does not bound it."""
    if chunk.script is None or not isinstance(loop, For):
        return None
    symbol = chunk.value(loop.last).symbol
    while isinstance(symbol, tuple) and symbol[:1] != ("ARGV",):
        symbol = symbol[-1]
    if not isinstance(symbol, tuple) or not isinstance(symbol[1], float):
        return None
    index = int(symbol[1]) - 1
    if not 0 <= index < len(chunk.script.args) or chunk.script.args[index].bounds[1] <= MANY:
        return None
    return f"as often as {chunk.script.args[index].name} says"


# --- what ends a loop ------------------------------------------------------------------------


def _exits(loop: Loop) -> list[Expression]:
    """The conditions that end a loop: its own, and those of ``break`` and ``return``."""
    found = [loop.condition] if isinstance(loop, While | Repeat) else []
    for statement in _statements(loop.body):
        if isinstance(statement, If):
            for condition, block in statement.arms:
                if _ends(block):
                    found.append(condition)
            if _ends(statement.otherwise):
                found.append(statement.arms[0][0])
    return found


def _ends(block: Block | None) -> bool:
    """Whether a block leaves the loop, or the function, at its end."""
    return block is not None and bool(block.statements) and _is_end(block.statements[-1])


def _is_end(statement: Node) -> bool:
    return isinstance(statement, Break | Return)


def _leaves(chunk: Chunk, loop: Loop) -> bool:
    """Whether anything at all can end a loop."""
    if any(isinstance(one, Break) for one in _statements(loop.body)):
        return True
    ends = [*chunk.returns, *chunk.calls_to("error")]
    return any(loop.start <= one.start < loop.end for one in ends)


def _statements(block: Block) -> Iterator[Node]:
    """The statements of a block and of the ``if`` and ``do`` within it, loops left out."""
    for statement in block.statements:
        yield statement
        if isinstance(statement, If):
            for _, arm in statement.arms:
                yield from _statements(arm)
            if statement.otherwise is not None:
                yield from _statements(statement.otherwise)
        elif isinstance(getattr(statement, "body", None), Block) and not isinstance(
            statement, While | Repeat | For | ForIn
        ):
            yield from _statements(statement.body)  # type: ignore[attr-defined]


def _is_limit(chunk: Chunk, condition: Expression, loop: Loop) -> bool:
    """Whether a condition compares something that the loop counts with a bound."""
    node = bare(condition)
    if isinstance(node, Unary) and node.operator == "not":
        return _is_limit(chunk, node.operand, loop)
    if not isinstance(node, Binary):
        return False
    if node.operator in ("and", "or"):
        # One part of `and` is enough to end a `while`, one of `or` to leave it by `break`.
        is_own = isinstance(loop, While) and condition is loop.condition
        if node.operator == ("and" if is_own else "or"):
            return _is_limit(chunk, node.left, loop) or _is_limit(chunk, node.right, loop)
        return False
    if node.operator not in (*ORDERS, "==", "~="):
        return False
    return any(
        _is_counter(chunk, one, loop) and not _is_size(chunk, other)
        for one, other in ((node.left, node.right), (node.right, node.left))
    )


def _is_counter(chunk: Chunk, expression: Expression, loop: Loop) -> bool:
    """Whether every round changes a value, as far as the loop's body tells."""
    node = bare(expression)
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        return _is_counter(chunk, node.left, loop)
    is_length = isinstance(node, Unary) and node.operator == "#"
    name = bare(node.operand) if isinstance(node, Unary) and is_length else node
    if not isinstance(name, Name) or name.variable is None or _is_within(name.variable, loop):
        return False
    variable = name.variable
    if is_length:
        if not isinstance(bare(variable.only_value()), Table):
            return False
        steps: list[Node] = [target for target, _ in variable.stores]
        steps += [
            call
            for call in chunk.calls_to("table.insert")
            if any(one.parent is call for one in variable.reads)
        ]
    else:
        inside = [one for one in variable.definitions if loop.start <= one.node.start < loop.end]
        steps = [one.node for one in inside if _steps(one.value, variable)]
    return any(_is_in_each_round(step, loop) for step in steps)


def _is_in_each_round(node: Node, loop: Loop) -> bool:
    """Whether a loop comes past a place in each round, or ends where it does not."""
    inner: Node = node
    for outer in node.parents():
        if outer is loop:
            return True
        if isinstance(outer, If):
            others = [block for _, block in outer.arms if block is not inner]
            if outer.otherwise is not inner:
                if outer.otherwise is None:
                    return False
                others.append(outer.otherwise)
            if not all(_ends(block) for block in others):
                return False
        elif isinstance(outer, Function):
            return False
        inner = outer
    return False


def _is_within(variable: Variable, loop: Loop) -> bool:
    """Whether a variable is made anew in each round."""
    return loop.start <= variable.start < loop.end


def _steps(value: Expression | None, variable: Variable) -> bool:
    node = bare(value)
    if not isinstance(node, Binary) or node.operator not in ("+", "-", "*"):
        return False
    return any(
        isinstance(bare(side), Name) and bare(side).variable is variable
        for side in (node.left, node.right)
    )


def _is_size(chunk: Chunk, expression: Expression) -> bool:
    """Whether a bound is what a command says, or the length of an unbounded reply."""
    return any(
        one.name in SIZES or one.name == "KEYS" or excess(chunk, one) is not None
        for one in replies_of(chunk, expression)
    )


def _is_stored(chunk: Chunk, expression: Expression) -> bool:
    node = bare(expression)
    match node:
        case Binary():
            return _is_stored(chunk, node.left) or _is_stored(chunk, node.right)
        case Unary():
            return _is_stored(chunk, node.operand)
        case Name() | Index() | Call():
            return Origin.STORED in chunk.value(node).origin
    return False


def is_recursive(chunk: Chunk, function: Function) -> Call | None:
    """The call by which a local function calls itself, or None."""
    variable = function.variable
    for read in variable.reads if variable is not None else ():
        call = read.parent
        if (
            isinstance(call, Call)
            and call.callee is read
            and function.start <= call.start < function.end
            and chunk.function_called(call) is function
        ):
            return call
    return None
