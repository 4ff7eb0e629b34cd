"""What arithmetic makes of what is known of its operands."""

from __future__ import annotations

import math

from redislua.syntax.literals import number_of
from redislua.syntax.values import Kind, Value, symbol_of

__all__ = ["arithmetic"]


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """What is known of ``left operator right``, of numbers or of text that holds them."""
    one, other = left.constant, right.constant
    if isinstance(one, bytes):
        one = number_of(one)
    if isinstance(other, bytes):
        other = number_of(other)
    constant: float | None = None
    if isinstance(one, float) and isinstance(other, float):
        constant = _computed(operator, one, other)
    is_whole = left.is_whole and right.is_whole and operator != "/"
    if operator == "^":
        is_whole = is_whole and isinstance(other, float) and other >= 0
    if operator == "/" and constant is not None:
        is_whole = constant.is_integer()
    return Value(
        left.origin | right.origin,
        Kind.NUMBER,
        constant,
        constant if constant is not None else symbol_of(operator, left.symbol, right.symbol),
        is_whole=is_whole,
        size=_size(operator, left.size, right.size),
    )


def _computed(operator: str, one: float, other: float) -> float | None:
    try:
        match operator:
            case "+":
                return one + other
            case "-":
                return one - other
            case "*":
                return one * other
            case "/":
                return one / other
            case "%":
                return one - math.floor(one / other) * other
            case _:
                power = one**other
                return power if isinstance(power, float) else None
    except (ArithmeticError, ValueError):
        return None


def _size(operator: str, one: float | None, other: float | None) -> float | None:
    match operator:
        case "+" | "-" if one is None or other is None:
            # Adding to the clock keeps it; what two clocks differ by is small.
            return one or other
        case "+":
            return (one or 0) + (other or 0)
        case "-":
            return abs((one or 0) - (other or 0))
        case "*" if one is not None and other is not None:
            return one * other
        case "/" if one is not None and other:
            return one / other
        case _:
            return None
