"""What is known of values that are written in the script."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from redislua.syntax.nodes import Constant, Expression, Function, Number, String
from redislua.syntax.values import Kind, Origin, Value

__all__ = ["GLOBALS", "LITERALS", "PASSED", "WORDS"]

WORDS = {
    "nil": Value(Origin.LITERAL, Kind.NIL),
    "true": Value(Origin.LITERAL, Kind.TRUE, symbol=True),
    "false": Value(Origin.LITERAL, Kind.FALSE, symbol=False),
}


def _constant(node: Constant) -> Value:
    return WORDS[node.word]


def _number(node: Number) -> Value:
    return _numbered(node.number)


@lru_cache(maxsize=1024)  # scripts have the same few
def _numbered(number: float) -> Value:
    is_whole = number.is_integer() if math.isfinite(number) else False
    return Value(Origin.LITERAL, Kind.NUMBER, number, number, is_whole=is_whole, size=abs(number))


def _string(node: String) -> Value:
    return Value(Origin.LITERAL, Kind.STRING, node.text, node.text)


def _function(_: Function) -> Value:
    return Value(Origin.LITERAL, Kind.FUNCTION)


LITERALS: dict[type[Expression], Callable[[Any], Value]] = {
    Constant: _constant,
    Number: _number,
    String: _string,
    Function: _function,
}
"""What is known of them, by class: it rests on nothing else."""


def _elements(origin: Origin, symbol: str) -> Value:
    element = Value(origin, Kind.STRING)
    return Value(origin, Kind.TABLE, symbol=symbol, element=element)


GLOBALS: dict[str, Value] = {
    "KEYS": _elements(Origin.KEYS, "KEYS"),
    "ARGV": _elements(Origin.ARGV, "ARGV"),
}
"""Tables that every script finds."""

PASSED = tuple(GLOBALS.values())
"""What a registered function of a library is given."""
