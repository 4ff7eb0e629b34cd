"""Which commands give a key an expiry, and whether one comes after a write on every path."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from redislua.lint.sizes import symbol_of
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Block,
    Break,
    Call,
    Do,
    Expression,
    For,
    ForIn,
    Function,
    If,
    Node,
    Repeat,
    Return,
    Unary,
    While,
    bare,
)
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Origin

__all__ = [
    "Following",
    "created_key",
    "creating",
    "drops",
    "expiring",
    "follows",
    "gives",
    "is_guarded",
    "stored_parts",
]

SETTING = frozenset({"EXPIRE", "EXPIREAT", "PEXPIRE", "PEXPIREAT", "PSETEX", "SETEX"})
GIVING = SETTING | {"SET", "GETEX"}
"""Commands that `gives` knows."""
ASKING = frozenset({"EXPIRETIME", "PEXPIRETIME", "PTTL", "TTL"})
MOST = 100
OPTIONS = ("EX", "EXAT", "PX", "PXAT")

_CREATING = {
    **dict.fromkeys(("APPEND", "DECR", "DECRBY", "GETSET", "INCR", "INCRBY", "INCRBYFLOAT"), 0),
    **dict.fromkeys(("SET", "SETBIT", "SETNX", "SETRANGE", "BITFIELD", "PFADD", "PFMERGE"), 0),
    **dict.fromkeys(("HINCRBY", "HINCRBYFLOAT", "HMSET", "HSET", "HSETNX"), 0),
    **dict.fromkeys(("LPUSH", "RPUSH", "SADD", "XADD", "ZADD", "ZINCRBY", "GEOADD"), 0),
    **dict.fromkeys(("SDIFFSTORE", "SINTERSTORE", "SUNIONSTORE", "GEOSEARCHSTORE"), 0),
    **dict.fromkeys(("ZDIFFSTORE", "ZINTERSTORE", "ZRANGESTORE", "ZUNIONSTORE"), 0),
    **dict.fromkeys(("BITOP", "LMOVE", "RPOPLPUSH", "SMOVE"), 1),
}
"""Commands that make a key that has no expiry, and which argument it is."""


def created_key(command: CommandCall) -> Expression | None:
    """The key that a command makes when it is not there, without an expiry; or None."""
    index = _CREATING.get(command.name or "")
    if index is None or len(command.arguments) <= index:
        return None
    if command.name in ("SET", "ZADD", "GEOADD", "XADD"):
        options = command.words()[index + 1 :]
        upper = {word.upper() for word in options if word is not None}
        if b"XX" in upper or b"NOMKSTREAM" in upper or gives(command) or b"KEEPTTL" in upper:
            return None
    return command.arguments[index]


def gives(command: CommandCall) -> bool:
    """Whether a command leaves an expiry on its key, or may do so by an option in a variable."""
    if command.name in SETTING:
        return True
    if command.name not in GIVING:
        return False
    if command.is_open or command.has_word(*OPTIONS):
        return True
    return any(word is None for word in command.words()[2 if command.name == "SET" else 1 :])


def drops(command: CommandCall) -> bool:
    """Whether a command takes an expiry away that was there."""
    if command.name == "GETSET":
        return True
    if command.name != "SET" or len(command.arguments) < 2:
        return False
    return not gives(command) and not command.has_word("KEEPTTL", "NX")


def creating(chunk: Chunk) -> list[CommandCall]:
    """The first writes of a file that may make a key without an expiry, or take one away.

    Each costs a walk through all that follows it: a file with more than `MOST` of them was
    made by a machine.
    """
    return [one for one in chunk.commands if drops(one) or created_key(one) is not None][:MOST]


def expiring(chunk: Chunk, key: object) -> Callable[[CommandCall], bool]:
    """A test for commands that give this key an expiry; a key is given by its symbol."""

    def test(command: CommandCall) -> bool:
        if not gives(command) or not command.arguments:
            return False
        return symbol_of(chunk, command.arguments[0]) == key

    return test


@dataclass(slots=True)
class Following:
    """What comes after a place.

    Attributes:
        is_certain: On every path to the end there is what was looked for.
        conditions: Where it is not certain: what decides about it, for each place found, and
            whether that has to hold or not to hold.
        is_elsewhere: A function that is called there may do it.
    """

    is_certain: bool = False
    conditions: list[tuple[Expression, bool]] = field(default_factory=list)
    is_elsewhere: bool = False

    @property
    def is_there(self) -> bool:
        """Whether it is on any path."""
        return self.is_certain or bool(self.conditions) or self.is_elsewhere


def follows(chunk: Chunk, node: Node, test: Callable[[CommandCall], bool]) -> Following:
    """Whether a command that passes a test comes after a place, on every path or on some."""
    wanted = [one for one in chunk.commands if test(one)]
    found = Following()
    walk = _Walk(chunk, wanted, found)
    _after(walk, node, ())
    return found


class _Walk:
    """Looks for commands in statements."""

    def __init__(self, chunk: Chunk, wanted: list[CommandCall], found: Following) -> None:
        self.chunk = chunk
        self.wanted = [one.start for one in wanted]
        self.setters = _calls_that_set(chunk)
        self.found = found
        self.left: list[tuple[Expression, bool]] = []

    def settle(self) -> None:
        """What was looked for is there: certain, but for what ended the script before it."""
        self.found.is_certain = not self.left
        self.found.conditions += self.left

    def has(self, node: Node) -> bool:
        """Whether a statement, or a function that it calls, has one of the commands."""
        if _is_one_within(node, self.wanted):
            return True
        if _is_one_within(node, self.setters):
            self.found.is_elsewhere = True
        return False

    def block(self, statements: Iterable[Node]) -> str:
        """``certain`` if found on every path, ``left`` if these statements end the script."""
        for statement in statements:
            end = self.statement(statement)
            if end:
                return end
        return ""

    def statement(self, statement: Node) -> str:
        """As `block`, for one statement."""
        if isinstance(statement, Do):
            return self.block(statement.body.statements)
        if isinstance(statement, If):
            return self.choice(statement)
        if isinstance(statement, While | Repeat | For | ForIn):
            if self.has(statement):
                self.found.conditions.append((_head(statement), True))
            return ""
        if self.has(statement):
            return "certain"
        return "left" if isinstance(statement, Return | Break) else ""

    def choice(self, statement: If) -> str:
        """As `block`, for all arms of an ``if``."""
        if any(self.has(condition) for condition, _ in statement.arms[:1]):
            return "certain"
        ends = [self.block(block.statements) for _, block in statement.arms]
        is_open = statement.otherwise is None
        ends.append(
            "" if statement.otherwise is None else self.block(statement.otherwise.statements)
        )
        self.left += [
            (condition, False)
            for (condition, _), end in zip(statement.arms, ends, strict=False)
            if end == "left"
        ]
        if "certain" in ends:
            if all(end == "certain" for end in ends) and not is_open:
                return "certain"
            for (condition, _), end in zip(statement.arms, ends, strict=False):
                if end == "certain":
                    self.found.conditions.append((condition, True))
            if ends[-1] == "certain":
                self.found.conditions.append((statement.arms[-1][0], False))
        return "left" if all(end == "left" for end in ends) and not is_open else ""


def _head(loop: Node) -> Expression:
    for name in ("condition", "last"):
        found = getattr(loop, name, None)
        if isinstance(found, Expression):
            return found
    values: list[Expression] = getattr(loop, "values", [])
    return values[0]


def _is_one_within(node: Node, offsets: list[int]) -> bool:
    """Whether a node holds one of these places, which are in order."""
    at = bisect_left(offsets, node.start)
    return at < len(offsets) and offsets[at] < node.end


def _calls_that_set(chunk: Chunk) -> list[int]:
    """Where functions are called that give an expiry to a key that their caller passes."""
    found = {
        chunk.function_around(one.node)
        for one in chunk.commands
        if gives(one) and one.arguments and symbol_of(chunk, one.arguments[0]) is None
    }
    if not found:
        return []
    return [one.start for one in chunk.calls if chunk.function_called(one) in found]


def _after(walk: _Walk, node: Node, inside: tuple[Function, ...]) -> None:
    """Look at all that comes behind a place, in its block, then around it."""
    chunk = walk.chunk
    child = chunk.statement_of(node)
    # Where the place is a condition of an `if`, what that does comes after it.
    if isinstance(child, If) and walk.choice(child) == "certain":
        walk.settle()
        return
    for outer in child.parents():
        if isinstance(outer, Block):
            behind = [one for one in outer.statements if one.start > child.start]
            end = walk.block(behind)
            if end == "certain":
                walk.settle()
            if end:
                return
        elif isinstance(outer, Function):
            _after_calls(walk, outer, inside)
            return
        child = outer


def _after_calls(walk: _Walk, function: Function, inside: tuple[Function, ...]) -> None:
    """A function ended: what comes behind each of its calls, or nothing for the main chunk."""
    variable = function.variable
    if variable is None or function in inside:
        return
    calls = [one.parent for one in variable.reads if isinstance(one.parent, Call)]
    ends = []
    for call in calls:
        walk.found.is_certain = False
        _after(walk, call, (*inside, function))
        ends.append(walk.found.is_certain)
    walk.found.is_certain = bool(ends) and all(ends)


# --- whether the key was there ---------------------------------------------------------------


def is_guarded(chunk: Chunk, command: CommandCall, key: object) -> bool:
    """Whether a write comes only after the script has found something under its key.

    That is a condition around it that holds where a reply about the key does, or an ``if``
    above that leaves where there is none.
    """
    asked = [
        one
        for one in chunk.commands
        if one.start < command.start
        and any(symbol_of(chunk, other) == key for other in one.key_arguments())
    ]
    if not asked:
        return False
    child: Node = command.node
    for outer in command.node.parents():
        if isinstance(outer, If):
            for condition, block in outer.arms:
                if block is child and _says(chunk, condition, present=True):
                    return True
            passed = [one for one, block in outer.arms if block.start < child.start]
            if child is not outer.arms[0][1] and any(
                _says(chunk, one, present=False) for one in passed if one.start < child.start
            ):
                return True
        above = outer.statements if isinstance(outer, Block) else ()
        if any(
            isinstance(statement, If)
            and statement.start < child.start
            and _leaves_without(chunk, statement)
            for statement in above
        ):
            return True
        child = outer
    return False


def _leaves_without(chunk: Chunk, statement: If) -> bool:
    return any(
        bool(block.statements)
        and isinstance(block.statements[-1], Return)
        and _says(chunk, condition, present=False)
        for condition, block in statement.arms
    )


def _says(chunk: Chunk, condition: Expression, *, present: bool) -> bool:
    """Whether a condition holds only if a reply is there, or, the other way, if it is not."""
    node = bare(condition)
    match node:
        case Unary(operator="not"):
            return _says(chunk, node.operand, present=not present)
        case Binary(operator="and" | "or"):
            # `a and b` holds only where both do; `not (a or b)` likewise.
            parts = [_says(chunk, side, present=present) for side in (node.left, node.right)]
            return any(parts) if (node.operator == "and") is present else all(parts)
        case Binary(operator="==" | "~="):
            return _compares(chunk, node, present=present)
        case Binary(operator=">" | ">="):
            return present and _is_stored(chunk, node.left)
        case Binary(operator="<" | "<="):
            return present and _is_stored(chunk, node.right)
    return present and _is_stored(chunk, node)


def _compares(chunk: Chunk, node: Binary, *, present: bool) -> bool:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if not _is_stored(chunk, one):
            continue
        known = chunk.value(other)
        is_absence = known.constant == 0 or known.is_only(Kind.FALSY)
        return (node.operator == "==") is (present is not is_absence)
    return False


def _is_stored(chunk: Chunk, node: Expression) -> bool:
    return Origin.STORED in chunk.value(node).origin


def stored_parts(chunk: Chunk, condition: Expression) -> Iterator[Expression]:
    """The parts of a condition that come from replies."""
    node = bare(condition)
    if isinstance(node, Binary):
        yield from stored_parts(chunk, node.left)
        yield from stored_parts(chunk, node.right)
    elif isinstance(node, Unary):
        yield from stored_parts(chunk, node.operand)
    elif _is_stored(chunk, node):
        yield node
