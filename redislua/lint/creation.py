"""What commands answer when they create their key."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall

__all__ = ["reply_on_creation"]

_COUNTING = {"SADD": 1, "LPUSH": 1, "RPUSH": 1, "HSET": 2}
"""Commands that answer how many elements a new key has, and arguments for each."""

_ADDING = {"INCRBY": (1, 1), "DECRBY": (1, -1), "HINCRBY": (2, 1)}
"""Where the amount is, and its sign."""


def reply_on_creation(
    chunk: Chunk, command: CommandCall, operator: str, other: Expression
) -> bool | None:
    """Whether ``reply <operator> other`` holds when the command creates its key.

    None where that is not known. An amount that the caller gives is taken for one that is
    not always 1.
    """
    bound = chunk.value(other)
    constant = bound.constant if isinstance(bound.constant, float) else None
    amount = _amount(chunk, command)
    if amount is not None and amount <= 0:
        return None  # what takes away is not meant to create
    if amount is None:
        given = _given(command)
        if given is None or operator != "==" or _same(chunk, given, other):
            return None
        return False if constant is not None else None
    if constant is not None:
        return _compare(amount, operator, constant)
    # A limit that the caller gives is greater than what one call adds.
    return {"==": False, ">": False, ">=": False}.get(operator) if bound.is_known else None


def _amount(chunk: Chunk, command: CommandCall) -> float | None:
    if command.name in ("INCR", "DECR"):
        return 1.0 if command.name == "INCR" else -1.0
    if command.name in _ADDING:
        given = _given(command)
        value = chunk.value(given).constant if given is not None else None
        try:
            return float(value) * _ADDING[command.name][1] if value is not None else None
        except ValueError:
            return None
    if command.name in _COUNTING and not command.is_open:
        return (len(command.arguments) - 1) // _COUNTING[command.name]
    return None


def _given(command: CommandCall) -> Expression | None:
    index = _ADDING.get(command.name or "", (0, 0))[0]
    return command.arguments[index] if 0 < index < len(command.arguments) else None


def _same(chunk: Chunk, one: Expression, other: Expression) -> bool:
    """Whether two expressions are one number, converted or not."""
    first, second = (_plain(chunk.value(each).symbol) for each in (one, other))
    return first is not None and first == second


def _plain(symbol: object) -> object:
    while isinstance(symbol, tuple) and symbol[:1] == ("tonumber",):
        symbol = symbol[1]
    return symbol


def _compare(one: float, operator: str, other: float) -> bool | None:
    match operator:
        case "==":
            return one == other
        case "~=":
            return one != other
        case "<":
            return one < other
        case "<=":
            return one <= other
        case ">":
            return one > other
        case ">=":
            return one >= other
    return None
