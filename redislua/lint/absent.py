"""Replies that are missing where a script takes them for there."""

from __future__ import annotations

from redislua.lint.conditions import operands_of
from redislua.lint.reach import runs_before
from redislua.lint.replies import reply_type
from redislua.syntax.chunk import Chunk
from redislua.syntax.guards import asked_for_its_own, is_asked
from redislua.syntax.nodes import (
    Binary,
    Block,
    Call,
    CallStatement,
    Expression,
    For,
    ForIn,
    Function,
    If,
    Index,
    Name,
    Node,
    Return,
    Table,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall, function_of, path_of
from redislua.syntax.values import Kind, Value

__all__ = ["EMPTY", "absent_reply", "can_be_absent", "is_certain", "may_be_beyond", "may_lack"]

DEEPEST = 12
SEEN = 8
"""Definitions of a local that are looked at one by one."""

FILLING = ("HINCRBY", "HINCRBYFLOAT", "HMSET", "HSET", "HSETNX")

UNTELLING = frozenset(
    {
        "DEL",
        "EXPIRE",
        "EXPIREAT",
        "HDEL",
        "LTRIM",
        "PERSIST",
        "PEXPIRE",
        "PEXPIREAT",
        "PUBLISH",
        "UNLINK",
        "ZREMRANGEBYRANK",
        "ZREMRANGEBYSCORE",
    }
)
"""Commands after which a key may be missing as well as before."""


EMPTY = frozenset(
    {
        *("HRANDFIELD", "SPOP", "SRANDMEMBER", "ZRANDMEMBER"),
        *("GEOSEARCH", "HKEYS", "HVALS", "KEYS", "LRANGE", "SMEMBERS", "SORT", "XRANGE"),
        *("XREVRANGE", "ZPOPMAX", "ZPOPMIN", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE"),
        *("ZREVRANGE", "ZREVRANGEBYLEX", "ZREVRANGEBYSCORE"),
    }
)
"""Commands whose array has no elements when there is nothing."""

OPTIONAL = ("string?", "double?", "integer?", "array?", "nested?", "status?")
"""Types of replies that are false when there is nothing."""

FIELDS = ("HGET", "HMGET", "HSTRLEN")
"""Commands that read some fields of a hash: others that are there prove nothing."""

TELLING = ("EXISTS", "HEXISTS", "HLEN", "OBJECT ENCODING", "PTTL", "TTL", "TYPE")
"""Commands that tell whether a key is there, or some field: not another field."""


def can_be_absent(command: CommandCall) -> bool:
    """Whether a reply, or an element of it, is false or nil when something is missing."""
    row = command.row
    return row is not None and (
        row.reply.endswith("?")
        or row.items.endswith("?")
        or command.name == "SET"
        or command.name in EMPTY
    )


def may_be_beyond(chunk: Chunk, node: Expression) -> CommandCall | None:
    """The command of whose reply an element is taken by its number, and which may have none."""
    inner = bare(node)
    if type(inner) is Name and inner.variable is not None:
        found = inner.variable.definitions
        if len(found) > 1:
            found = reaching(inner) if len(found) <= SEEN else []
        only = found[0] if len(found) == 1 else None
        inner = bare(only.value) if only is not None and only.index == 0 else None
    if type(inner) is not Index or not isinstance(chunk.value(inner.key).constant, float):
        return None
    whole = chunk.value(inner.base)
    command = whole.reply
    is_list = command is not None and command.name in EMPTY and whole.is_only(Kind.TABLE)
    return command if is_list else None


def absent_reply(chunk: Chunk, expression: Expression) -> CommandCall | None:
    """The command that leaves a value nil or false when its key is missing.

    None where the value is always there, where the script asks for it or for what it was made
    from, and where an earlier command on the same key tells that it is there.
    """
    return _absent(chunk, expression, expression.start, 0)


def _absent(chunk: Chunk, expression: Expression, at: int, depth: int) -> CommandCall | None:
    node = bare(expression)
    if depth > DEEPEST:
        return None
    short = may_be_beyond(chunk, node)
    if short is None and not chunk.value(node).can_be(Kind.FALSY):
        return None
    match node:
        case Call():
            return _of_call(chunk, node, at, depth)
        case Index():
            if chunk.is_tested_before(node, at) or chunk.is_tested_before(node.base, at):
                return None
            if short is not None:
                return short if may_lack(chunk, short, at) else None
            base = chunk.value(node.base)
            command = base.reply
            if command is not None and _is_optional(base.element):
                return command if may_lack(chunk, command, at) else None
            field = _field(chunk, node)
            return None if field is None else _absent(chunk, field, at, depth + 1)
        case Name():
            if chunk.is_tested_before(node, at):
                return None
            return _of_name(chunk, node, at, depth)
        case Binary(operator="or"):
            return _absent(chunk, node.right, at, depth + 1)
    return None


def _field(chunk: Chunk, index: Index) -> Expression | None:
    """What a table's constructor gives to a field that nothing else gives a value."""
    base = bare(index.base)
    variable = base.variable if isinstance(base, Name) else None
    table = bare(variable.only_value()) if variable is not None else None
    key = chunk.value(index.key).constant
    if variable is None or not isinstance(table, Table) or not isinstance(key, bytes):
        return None
    if any(chunk.value(target.key).constant in (None, key) for target, _ in variable.stores):
        return None
    if not all(isinstance(read.parent, Index | Return) for read in variable.reads):
        return None  # whoever gets the table may fill it
    for item in table.items:
        if item.key is not None and chunk.value(item.key).constant == key:
            return item.value
    return None


def _of_call(chunk: Chunk, call: Call, at: int, depth: int) -> CommandCall | None:
    command = chunk.command_of(call)
    if command is not None:
        is_optional = reply_type(command) in OPTIONAL
        if not is_optional or command.is_protected or chunk.is_tested_before(call, at):
            return None
        return command if may_lack(chunk, command, at) else None
    if path_of(call.callee) == "tonumber" and call.method is None and call.arguments:
        if chunk.is_tested_before(call, at):
            return None
        return _absent(chunk, call.arguments[0], at, depth + 1)
    function = function_of(call) if call.method is None else None
    if function is not None and len(function.returns) == 1 and function.returns[0].values:
        return _absent(chunk, function.returns[0].values[0], at, depth + 1)
    return None


def _of_name(chunk: Chunk, name: Name, at: int, depth: int) -> CommandCall | None:
    for definition in reaching(name):
        value = definition.value
        if value is None:
            continue
        found = None
        inner = bare(value)
        if isinstance(inner, Call) and path_of(inner.callee) in ("unpack", "table.unpack"):
            found = _unpacked(chunk, inner, at)
        elif definition.index == 0:
            found = _absent(chunk, value, at, depth + 1)
        if found is not None and not _is_filled_in(chunk, name, found):
            return found
    return None


def _is_filled_in(chunk: Chunk, name: Name, command: CommandCall) -> bool:
    """Whether a local gets a value where another part of the same reply is found missing."""
    return any(
        _is_made_from(chunk, leaf, command) and is_asked(leaf) and not chunk.is_vain(leaf)
        for definition in reaching(name)
        for outer in definition.node.parents()
        if isinstance(outer, If)
        for condition, _ in outer.arms
        for leaf in operands_of(condition)
    )


def _unpacked(chunk: Chunk, call: Call, at: int) -> CommandCall | None:
    """The command whose reply is unpacked, where its elements may be false."""
    if not call.arguments:
        return None
    whole = chunk.value(call.arguments[0])
    if whole.reply is None or not _is_optional(whole.element):
        return None
    return whole.reply if may_lack(chunk, whole.reply, at) else None


def _is_optional(element: Value | None) -> bool:
    """Whether an element of an array reply is false where something is missing."""
    return (
        element is not None
        and element.can_be(Kind.FALSE)
        and element.is_only(Kind.STRING | Kind.NUMBER | Kind.FALSE)
    )


def may_lack(chunk: Chunk, command: CommandCall, at: int) -> bool:
    """Whether nothing before a place tells that the key is there."""
    keys = command.key_arguments()
    symbol = chunk.value(keys[0]).symbol if keys else None
    text = chunk.text(keys[0]) if keys else ""
    for other in chunk.commands:
        if other.start >= at:
            break
        if other is command:
            if _is_asked_for(chunk, other, at):
                return False
            continue
        if not any(
            chunk.text(key) == text or (symbol is not None and chunk.value(key).symbol == symbol)
            for key in other.key_arguments()
        ):
            continue
        reply = reply_type(other)
        if other.name in ("HMGET", "MGET") or (reply.endswith("?") and reply != "status?"):
            if _is_asked_for(chunk, other, at):
                return False
        elif (
            other.start < command.start
            and other.name not in UNTELLING
            and _proves(chunk, other, command)
        ):
            return False
    return True


def _proves(chunk: Chunk, other: CommandCall, command: CommandCall) -> bool:
    """Whether what an earlier command did or told means that there is something to read."""
    if command.name in FIELDS and other.name in TELLING:
        # A key that is there may lack the field, unless this script fills it.
        return _is_of_fields(chunk, other, command) or _fills_fields(chunk, command)
    if other.row is None or not other.row.is_write:
        return True  # its answer was asked for, as far as anybody can tell
    if not runs_before(other.node, command.node):
        return _fills_a_gap(chunk, other)
    if command.name not in FIELDS or other.name not in FILLING:
        return True
    return _is_of_fields(chunk, other, command)


def _is_of_fields(chunk: Chunk, other: CommandCall, command: CommandCall) -> bool:
    """Whether a command may name one of the fields that another reads."""
    fields = {chunk.text(one) for one in command.arguments[1:]}
    return other.is_open or any(chunk.text(one) in fields for one in other.arguments[1:])


def _fills_fields(chunk: Chunk, command: CommandCall) -> bool:
    """Whether the script itself writes, anywhere, one of the fields that a command reads."""
    keys = {chunk.text(key) for key in command.key_arguments()}
    return any(
        other.name in FILLING
        and any(chunk.text(key) in keys for key in other.key_arguments())
        and _is_of_fields(chunk, other, command)
        for other in chunk.commands
    )


def _fills_a_gap(chunk: Chunk, write: CommandCall) -> bool:
    """Whether what the same key holds decides if a write runs: then it is there on both paths."""
    keys = {chunk.text(key) for key in write.key_arguments()}
    asked = [
        one
        for one in chunk.commands
        if one.start < write.start and any(chunk.text(key) in keys for key in one.key_arguments())
    ]
    return any(
        _is_made_from(chunk, leaf, one)
        for outer in write.node.parents()
        if isinstance(outer, If)
        for condition, _ in outer.arms
        for leaf in operands_of(condition)
        for one in asked
    )


def _is_asked_for(chunk: Chunk, command: CommandCall, at: int) -> bool:
    """Whether a condition on a reply, or an element of one, decides if a place is reached."""
    return any(
        _decides(condition, block, statement, at) and _asks_for(chunk, condition, command, at)
        for statement in chunk.of(If)
        if command.start < statement.end and statement.start < at
        for condition, block in statement.arms
    )


def _asks_for(chunk: Chunk, condition: Expression, command: CommandCall, at: int) -> bool:
    """Whether a condition tells at a place whether a reply is there."""
    asked = [
        one
        for one in operands_of(condition)
        if _is_made_from(chunk, one, command) and not chunk.is_vain(one)
    ]
    # Behind `if x and … then return end` there may be nothing all the same.
    own = (asked_for_its_own(one) for one in asked)
    return bool(asked) and not any(one is not None and one.end <= at for one in own)


def _decides(condition: Expression, block: Block, statement: If, at: int) -> bool:
    return condition.end <= at and (at < statement.end or _leaves_off(block))


def _leaves_off(block: Block) -> bool:
    """Whether what follows a block is not run after it."""
    last = block.statements[-1] if block.statements else None
    if isinstance(last, Return):
        return True
    return isinstance(last, CallStatement) and (
        isinstance(last.call, Call) and path_of(last.call.callee) == "error"
    )


def _is_made_from(chunk: Chunk, node: Expression, command: CommandCall, depth: int = 0) -> bool:
    if depth > DEEPEST:
        return False
    inner = bare(node)
    match inner:
        case Call():
            if chunk.command_of(inner) is command:
                return True
            return any(_is_made_from(chunk, one, command, depth + 1) for one in inner.arguments)
        case Index():
            return _is_made_from(chunk, inner.base, command, depth + 1)
        case Unary():
            return _is_made_from(chunk, inner.operand, command, depth + 1)
        case Binary(operator="or" | "and"):
            return _is_made_from(chunk, inner.left, command, depth + 1)
        case Name():
            return any(
                definition.value is not None
                and _is_made_from(chunk, definition.value, command, depth + 1)
                for definition in reaching(inner)
            )
    return False


def is_certain(chunk: Chunk, node: Node) -> bool:
    """Whether a place is always reached: on no branch, and nothing before it leaves."""
    inner = node
    for outer in node.parents():
        if isinstance(outer, Function) and outer is not chunk.main:
            return False
        if isinstance(outer, If) and outer.arms[0][0] is not inner:
            return False
        if isinstance(outer, While | For | ForIn) and inner is outer.body:
            return False
        if isinstance(outer, Binary) and outer.operator in ("and", "or") and inner is outer.right:
            return False
        inner = outer
    return not any(
        one.end <= node.start and one.function is chunk.main and not _is_dead(chunk, one)
        for one in chunk.returns
    ) and not any(call.start < node.start for call in chunk.calls_to("error", "assert"))


def _is_dead(chunk: Chunk, node: Node) -> bool:
    """Whether a place is reached only where a reply is nil, which none ever is."""
    inner = node
    for outer in node.parents():
        if isinstance(outer, If):
            for condition, block in outer.arms:
                test = bare(condition)
                if block is inner and isinstance(test, Binary):
                    return any(chunk.is_vain(bare(side)) for side in (test.left, test.right))
        inner = outer
    return False
