"""Divisions that leave no rest, by how their dividend is made."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, For, Name, Unary, bare
from redislua.syntax.sites import path_of
from redislua.syntax.variables import Definition, Variable

__all__ = ["is_whole_quotient"]

DEEPEST = 8


def is_whole_quotient(chunk: Chunk, division: Binary) -> bool:
    """Whether a dividend is a multiple of its divisor in every run, as far as seen.

    That is ``#pairs / 2``, ``(x - x % d) / d``, ``x * d / d``, and what is made of a counter
    that a loop steps by the divisor. A loop whose first number is not known is believed.
    """
    return _is_multiple(chunk, division.left, division.right, 0)


def _is_multiple(chunk: Chunk, expression: Expression, of: Expression, depth: int) -> bool:
    node = bare(expression)
    if depth > DEEPEST:
        return False
    if _is_divisible(chunk, node, of):
        return True
    match node:
        case Unary(operator="#"):
            return chunk.value(of).constant == 2  # of fields and values, of members and scores
        case Unary(operator="-"):
            return _is_multiple(chunk, node.operand, of, depth + 1)
        case Binary(operator="-") if _is_rest(chunk, node, of):
            return True
        case Binary(operator="+" | "-"):
            return _is_counted(chunk, node, of) or (
                _is_multiple(chunk, node.left, of, depth + 1)
                and _is_multiple(chunk, node.right, of, depth + 1)
            )
        case Binary(operator="*"):
            sides = ((node.left, node.right), (node.right, node.left))
            return _is_counted(chunk, node, of) or any(
                chunk.value(other).is_whole and _is_multiple(chunk, one, of, depth + 1)
                for one, other in sides
            )
        case Name() if node.variable is not None:
            value = node.variable.only_value()
            if value is not None:
                return _is_multiple(chunk, value, of, depth + 1)
            return _is_counted(chunk, node, of)
    return False


def _is_divisible(chunk: Chunk, node: Expression, by: Expression) -> bool:
    """Whether both are constants that divide, or the same."""
    one, other = chunk.value(node), chunk.value(by)
    if isinstance(one.constant, float) and isinstance(other.constant, float):
        return _divides(other.constant, one.constant)
    return one.symbol is not None and one.symbol == other.symbol


def _divides(divisor: float, number: float) -> bool:
    return divisor != 0 and number % divisor == 0


def _is_rest(chunk: Chunk, difference: Binary, of: Expression) -> bool:
    """Whether it is ``x - x % d``."""
    rest = bare(difference.right)
    if isinstance(rest, Name) and rest.variable is not None:
        rest = bare(rest.variable.only_value())
    match rest:
        case Binary(operator="%"):
            whole, step = rest.left, rest.right
        case Call() if path_of(rest.callee) == "math.fmod" and len(rest.arguments) == 2:
            whole, step = rest.arguments
        case _:
            return False
    return _is_same(chunk, difference.left, whole) and _is_divisible(chunk, step, of)


def _is_same(chunk: Chunk, one: Expression, other: Expression) -> bool:
    symbol = chunk.value(one).symbol
    if symbol is not None and symbol == chunk.value(other).symbol:
        return True
    return chunk.text(bare(one)) == chunk.text(bare(other))


# --- counters --------------------------------------------------------------------------------


def _is_counted(chunk: Chunk, node: Expression, of: Expression) -> bool:
    """Whether a loop's counter, times and plus constants, comes by multiples of a divisor."""
    divisor = chunk.value(of).constant
    line = _line(chunk, node, 0)
    if not isinstance(divisor, float) or line is None:
        return False
    factor, offset, variable = line
    starts: list[float | None] = []
    steps: list[float] = []
    for definition in variable.definitions:
        if isinstance(definition.node, For) and definition.value is None:
            starts.append(_constant(chunk, definition.node.first))
            step = definition.node.step
            steps.append((_constant(chunk, step) or 0.0) if step is not None else 1.0)
        elif (by := _step(chunk, definition, variable)) is not None:
            steps.append(by)
        else:
            value = definition.value if definition.index == 0 else None
            starts.append(_constant(chunk, value) if value is not None else None)
            if starts[-1] is None:
                return False
    return (
        bool(steps)
        and all(step != 0 and _divides(divisor, factor * step) for step in steps)
        and all(start is None or _divides(divisor, factor * start + offset) for start in starts)
    )


def _line(chunk: Chunk, expression: Expression, depth: int) -> tuple[float, float, Variable] | None:
    """Factor, offset and variable of what is ``factor * variable + offset``; None for the rest."""
    node = bare(expression)
    if depth > DEEPEST:
        return None
    if isinstance(node, Name) and node.variable is not None:
        value = node.variable.only_value()
        inner = None if value is None else _line(chunk, value, depth + 1)
        return inner or (1.0, 0.0, node.variable)
    if not isinstance(node, Binary):
        return None
    for one, other, is_first in ((node.left, node.right, True), (node.right, node.left, False)):
        constant = chunk.value(other).constant
        line = _line(chunk, one, depth + 1) if isinstance(constant, float) else None
        if line is None or not isinstance(constant, float):
            continue
        factor, offset, variable = line
        match node.operator:
            case "*":
                return factor * constant, offset * constant, variable
            case "+":
                return factor, offset + constant, variable
            case "-":
                sign = 1.0 if is_first else -1.0
                return sign * factor, sign * (offset - constant), variable
    return None


def _step(chunk: Chunk, definition: Definition, variable: Variable) -> float | None:
    """By how much ``i = i + 2`` changes a variable; None for another assignment."""
    value = bare(definition.value)
    if not isinstance(value, Binary) or value.operator not in ("+", "-"):
        return None
    own = bare(value.left)
    if not isinstance(own, Name) or own.variable is not variable:
        return None
    return _constant(chunk, value.right)


def _constant(chunk: Chunk, expression: Expression) -> float | None:
    constant = chunk.value(expression).constant
    return constant if isinstance(constant, float) else None
