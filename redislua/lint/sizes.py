"""How much a command reads, where the script's text does not bound it."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from weakref import WeakKeyDictionary

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Expression,
    If,
    Index,
    Name,
    Node,
    Number,
    Parens,
    Return,
    Unary,
    bare,
)
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Origin, Value

__all__ = [
    "OBJECTS",
    "ORDERS",
    "SIZES",
    "bounds_at",
    "excess",
    "grows",
    "is_growth_declared",
    "symbol_of",
]

SIZES = frozenset({"HLEN", "LLEN", "SCARD", "STRLEN", "XLEN", "ZCARD", "ZCOUNT", "ZLEXCOUNT"})
"""Commands that tell how much there is."""

OBJECTS = frozenset({"HGETALL", "HKEYS", "HVALS"})
"""Commands that read whole hashes: mostly objects of a few fields."""

CUTTING = frozenset(
    {
        "LTRIM",
        "SPOP",
        "XTRIM",
        "ZPOPMAX",
        "ZPOPMIN",
        "ZREMRANGEBYRANK",
    }
)
"""Commands that keep a collection small."""

GROWING = frozenset(
    {
        *("HGETALL", "HKEYS", "HVALS", "LINSERT", "LPOS", "LREM", "LTRIM", "PFMERGE", "SMEMBERS"),
        *("SDIFF", "SINTER", "SUNION", "SINTERCARD", "SORT", "SORT_RO", "XTRIM"),
        *("SDIFFSTORE", "SINTERSTORE", "SUNIONSTORE", "ZRANGESTORE"),
        *("ZDIFF", "ZINTER", "ZUNION", "ZINTERCARD", "ZDIFFSTORE", "ZINTERSTORE", "ZUNIONSTORE"),
        *("ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE"),
    }
)
"""Commands whose cost grows with what a key holds, beside those that `excess` knows."""

ORDERS = ("<", "<=", ">", ">=")
EQUALITIES = ("==", "~=")
NEAR = 25
"""Of very many places that may bound a collection, how many are looked at: first and last."""

_WHOLE = {
    "HGETALL": "name the fields with HMGET, or ask HLEN first",
    "HKEYS": "name the fields, or ask HLEN first",
    "HVALS": "name the fields with HMGET, or ask HLEN first",
    "SMEMBERS": "ask SISMEMBER, draw with SRANDMEMBER, or ask SCARD first",
    "SUNION": "ask SCARD of each set first, or bound the sets when they are written",
    "SINTER": "count with SINTERCARD, or ask SCARD first",
    "SDIFF": "ask SCARD first, or bound the sets when they are written",
    "ZUNION": "ask ZCARD first, or bound the sets when they are written",
    "ZINTER": "count with ZINTERCARD, or ask ZCARD first",
    "ZDIFF": "ask ZCARD first, or bound the sets when they are written",
}
_LIMITED = {
    **dict.fromkeys(("SORT", "SORT_RO"), (1, "LIMIT")),
    **dict.fromkeys(("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), (3, "LIMIT")),
    **dict.fromkeys(("ZRANGEBYLEX", "ZREVRANGEBYLEX"), (3, "LIMIT")),
    **dict.fromkeys(("XRANGE", "XREVRANGE"), (3, "COUNT")),
    **dict.fromkeys(("XREAD", "XREADGROUP"), (0, "COUNT")),
    **dict.fromkeys(("GEOSEARCH", "GEORADIUS", "GEORADIUS_RO"), (1, "COUNT")),
    **dict.fromkeys(("GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"), (1, "COUNT")),
}
"""By command: how many arguments stand before its options, and the option that bounds it."""


def excess(chunk: Chunk, command: CommandCall) -> str | None:
    """How to bound a command that reads as much as there is; None if it is bounded.

    None as well where the text does not tell: for arguments that are computed, options
    in variables, and keys whose size the script trims or asks for first.
    """
    if command.name is None or command.row is None:
        return None
    advice = _WHOLE.get(command.name) or _advice(chunk, command)
    if advice is None or _is_kept_small(chunk, command):
        return None
    if command.name in OBJECTS and _counts_known_fields(chunk, command):
        return None
    return advice


def grows(chunk: Chunk, command: CommandCall) -> bool:
    """Whether what a command costs depends on how much its keys hold."""
    if command.name == "DEL" and chunk.script is not None:
        types = {key.redis_type for key in chunk.script.keys}
        return bool(types & {"list", "set", "zset", "stream"})
    if command.name in ("LINDEX", "LSET") and len(command.arguments) > 1:
        return _index(chunk.value(command.arguments[1])) not in (0, -1)
    return command.name in GROWING or excess(chunk, command) is not None


def is_growth_declared(chunk: Chunk) -> bool:
    """Whether the header says that the script's cost grows, and over what."""
    return chunk.script is not None and chunk.script.budget.over is not None


def symbol_of(chunk: Chunk, expression: Expression) -> object:
    """Equal for keys that are equal in every run; None where that is unknown."""
    return chunk.value(expression).symbol


def _advice(chunk: Chunk, command: CommandCall) -> str | None:
    if command.name in ("LRANGE", "ZREVRANGE"):
        return _by_index(chunk, command)
    if command.name == "ZRANGE":
        if command.is_open or any(word is None for word in command.words()[3:6]):
            return None
        if command.has_word("BYSCORE", "BYLEX"):
            return _by_option(chunk, command, 3, "LIMIT")
        return _by_index(chunk, command)
    known = _LIMITED.get(command.name or "")
    return None if known is None else _by_option(chunk, command, *known)


def _by_index(chunk: Chunk, command: CommandCall) -> str | None:
    if len(command.arguments) < 3:
        return None
    start, stop = command.arguments[1:3]
    first, last = _index(chunk.value(start)), _index(chunk.value(stop))
    to_end = (last is not None and last < 0) or _is_size(chunk, stop)
    if first is None and isinstance(bare(start), Name | Index):
        # An offset that the caller gives; what is computed may count from the end.
        first = 0 if chunk.value(start).origin == Origin.ARGV else None
    if first is None or first < 0 or not to_end:
        return None
    return "ask for a fixed number of elements: 0 99"


def _by_option(chunk: Chunk, command: CommandCall, before: int, option: str) -> str | None:
    words = command.words()
    if command.is_open:
        return None
    upper = [word.upper() if word is not None else None for word in words]
    if option.encode() in upper[before:]:
        # LIMIT offset count: a negative count means all.
        behind = upper.index(option.encode(), before) + (2 if option == "LIMIT" else 1)
        count = _index(chunk.value(command.arguments[behind])) if behind < len(words) else None
        return f"give {option} a positive count" if count is not None and count < 0 else None
    if before == 3 and any(word is None for word in words[before:]):
        return None  # an option may be in a variable
    if before == 3 and len(words) >= 3 and _is_one_point(chunk, command):
        return None
    return f"add {option}" + (" 0 100" if option == "LIMIT" else " 100")


def _is_one_point(chunk: Chunk, command: CommandCall) -> bool:
    low, high = (chunk.value(one) for one in command.arguments[1:3])
    return low.symbol is not None and low.symbol == high.symbol


def _index(value: Value) -> float | None:
    constant = value.constant
    if isinstance(constant, bytes):
        try:
            return float(constant)
        except ValueError:
            return None
    return constant


def _is_size(chunk: Chunk, expression: Expression) -> bool:
    """Whether an index is what ZCARD or LLEN answered, less one perhaps."""
    node = bare(expression)
    if isinstance(node, Binary) and node.operator == "-" and isinstance(bare(node.right), Number):
        node = bare(node.left)
    reply = chunk.value(node).reply
    return reply is not None and reply.name in SIZES


def _is_kept_small(chunk: Chunk, command: CommandCall) -> bool:
    """Whether the script trims the collection, or looks at its size, before it reads it."""
    keeping = _KEEPING.get(chunk)
    if keeping is None:
        keeping = _KEEPING[chunk] = [
            one
            for one in chunk.commands
            if one.name in CUTTING
            or one.has_word("MAXLEN", "MINID")
            or (one.name in SIZES and _is_compared(chunk, one.node))
        ]
    if not keeping:
        return False
    keys = {symbol_of(chunk, key) for key in command.key_arguments()} - {None}
    if len(keeping) > 2 * NEAR:
        before = bisect_left(keeping, command.start, key=attrgetter("start"))
        keeping = keeping[:NEAR] + keeping[max(NEAR, before - NEAR) : before]
    return any(
        one.start < command.start
        and any(symbol_of(chunk, key) in keys for key in one.key_arguments())
        and (
            one.name not in SIZES
            or any(bounds_at(chunk, read, command.node) for read in _uses(one.node))
            or (_is_ordered(chunk, one.node) and _is_filled(chunk, keys))
        )
        for one in keeping
    )


def _is_filled(chunk: Chunk, keys: set[object]) -> bool:
    """Whether the script adds to a collection: one that is emptied when it is full has a bound."""
    return any(
        one.row is not None
        and one.row.is_write
        and one.name not in ("DEL", "UNLINK")
        and any(symbol_of(chunk, key) in keys for key in one.key_arguments())
        for one in chunk.commands
    )


_KEEPING: WeakKeyDictionary[Chunk, list[CommandCall]] = WeakKeyDictionary()


def _counts_known_fields(chunk: Chunk, command: CommandCall) -> bool:
    """Whether the script fills a hash with counters alone, whose names are in its text."""
    keys = {symbol_of(chunk, key) for key in command.key_arguments()} - {None}
    written = [
        other
        for other in chunk.commands
        if other.name in _FILLING
        and any(symbol_of(chunk, key) in keys for key in other.key_arguments())
    ]
    return bool(written) and all(
        one.name in ("HINCRBY", "HINCRBYFLOAT")
        and len(one.arguments) == 3
        and chunk.value(one.arguments[1]).origin == Origin.LITERAL
        for one in written
    )


_FILLING = ("HSET", "HMSET", "HSETNX", "HINCRBY", "HINCRBYFLOAT")


def _is_ordered(chunk: Chunk, expression: Expression) -> bool:
    """Whether the script compares a value with a bound: 0 and 1 ask whether there is any."""
    return any(_is_in_order(chunk, read) for read in _uses(expression))


def _is_compared(chunk: Chunk, expression: Expression) -> bool:
    """Whether the script compares a value with a bound, or with a number that it must be."""
    return any(_is_in_order(chunk, read) or _is_equated(chunk, read) for read in _uses(expression))


def _uses(expression: Expression) -> list[Expression]:
    """An expression, and the reads of the local that it is given to."""
    variables = getattr(expression.parent, "variables", None)
    values = getattr(expression.parent, "values", None)
    if not variables or not values or expression not in values:
        return [expression]
    index = values.index(expression)
    return [expression, *(variables[index].reads if index < len(variables) else ())]


def bounds_at(chunk: Chunk, node: Expression, place: Node) -> bool:
    """Whether an expression is compared with a bound that holds upwards at a place.

    In ``if n > 500 then … end`` it is 501 or more, and behind it only if that block leaves.
    In ``if n == 4 then … end`` it is 4.
    """
    if _is_equated(chunk, node):
        return _is_known(node, place)
    return _is_in_order(chunk, node) and not _is_least(node, place)


def _is_equated(chunk: Chunk, node: Expression) -> bool:
    """Whether a place asks if an expression is one certain number."""
    inner = _outermost(node)
    outer = inner.parent
    if not isinstance(outer, Binary) or outer.operator not in EQUALITIES:
        return False
    other = outer.right if outer.left is inner else outer.left
    return isinstance(chunk.value(other).constant, float)


def _is_known(node: Expression, place: Node) -> bool:
    """Whether what a place asks, in an equality, is so at another."""
    asked = _outermost(node).parent
    is_equal = isinstance(asked, Binary) and asked.operator == "=="
    inner: Node | None = asked
    while inner is not None and isinstance(inner.parent, Parens | Binary):
        inner = inner.parent
        if isinstance(inner, Binary) and inner.operator != "and":
            return False
    outer = inner.parent if inner is not None else None
    if not isinstance(outer, If):
        return False
    block = next((body for one, body in outer.arms if one is inner), None)
    if block is None:
        return False
    if any(one is block for one in place.parents()):
        return is_equal
    is_alone = isinstance(inner, Expression) and bare(inner) is asked
    is_left = bool(block.statements) and isinstance(block.statements[-1], Return)
    return is_alone and not is_equal and (place.start < outer.end or is_left)


def _outermost(node: Expression) -> Expression:
    """An expression with the parentheses around it."""
    while isinstance(node.parent, Parens):
        node = node.parent
    return node


def _is_least(node: Expression, place: Node) -> bool:
    """Whether a comparison tells of a place that a number is so much or more."""
    inner: Node = node
    is_more: bool | None = None
    is_alone = True
    for outer in node.parents():
        match outer:
            case Binary(operator="<" | "<=" | ">" | ">="):
                is_more = (outer.left is inner) == (outer.operator in (">", ">="))
            case Binary(operator="and"):
                is_alone = False
            case Parens():
                pass
            case Binary(operator="+" | "-" | "*") if outer.left is inner:
                pass
            case If() if is_more is not None:
                block = next((body for one, body in outer.arms if one is inner), None)
                if block is None:
                    return False
                if any(one is block for one in place.parents()):
                    return is_more
                is_left = bool(block.statements) and isinstance(block.statements[-1], Return)
                return is_alone and not is_more and (place.start < outer.end or is_left)
            case _:
                return False
        inner = outer
    return False


def _is_in_order(chunk: Chunk, node: Expression) -> bool:
    """Whether a place compares an expression, or what is made of it, with a bound."""
    inner: Node = node
    for outer in node.parents():
        if isinstance(outer, Parens | Unary):
            inner = outer
        elif isinstance(outer, Binary) and outer.operator in ORDERS:
            other = outer.right if outer.left is inner else outer.left
            constant = chunk.value(other).constant
            return not isinstance(constant, float) or constant > 1
        elif isinstance(outer, Binary) and outer.operator in ("+", "-", "*"):
            inner = outer
        else:
            return False
    return False
