"""What a script leaves without a value on some path."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    LOOPS,
    Block,
    Expression,
    Function,
    If,
    Index,
    Local,
    Name,
    Node,
    Return,
    Table,
)
from redislua.syntax.reaching import reaching

__all__ = ["gap_in", "may_be_unset"]

BRANCHING = (If, Function, *LOOPS)


def may_be_unset(chunk: Chunk, name: Name) -> bool:
    """Whether a local that is declared without a value gets one on some paths to a read alone.

    It is not said of a read that is itself on a branch, or behind one that leaves: what led
    there may be what gave the value.
    """
    variable = name.variable
    if variable is None or chunk.is_tested_before(name, name.start):
        return False
    found = reaching(name)
    first = found[0] if found else None
    if first is None or len(found) == 1 or first.value is not None:
        return False
    if not isinstance(first.node, Local) or variable not in first.node.variables:
        return False
    if len(first.node.variables) > len(first.node.values) > 0:
        return False  # the last of the values may be several
    around = first.node.parent
    if not isinstance(around, Block):
        return False
    for outer in name.parents():
        if outer is around:
            break
        if isinstance(outer, BRANCHING):
            return False
    else:
        return False
    if any(first.node.start < one.start and one.end <= name.start for one in chunk.returns):
        return False
    given = [one.node for one in found[1:]]
    return not any(
        _gives_on_each_way(statement, given)
        for statement in around.statements
        if first.node.start < statement.start < name.start
    )


def _gives_on_each_way(statement: Node, given: list[Node]) -> bool:
    """Whether each arm of an ``if``, or a loop or block at all, gives the value."""
    if not isinstance(statement, If):
        return any(statement.start <= one.start < statement.end for one in given)
    blocks = [block for _, block in statement.arms]
    if statement.otherwise is None:
        return False
    return all(
        any(block.start <= one.start < block.end for one in given)
        for block in (*blocks, statement.otherwise)
    )


def gap_in(chunk: Chunk, table: Table) -> tuple[Expression, int] | None:
    """The first store behind a gap in a table that is filled by constant numbers, and the gap.

    None where anything else is done with the table than being filled and returned.
    """
    variables, values = getattr(table.parent, "variables", ()), getattr(table.parent, "values", ())
    if table.items or not variables or values[:1] != [table] or len(values) != 1:
        return None
    variable = variables[0]
    targets = {target.base: target for target, _ in variable.stores}
    for read in variable.reads:
        if read not in targets and not isinstance(read.parent, Return):
            return None
    by_number: dict[float, Index] = {}
    for target, value in variable.stores:
        number = chunk.value(target.key).constant
        if not isinstance(number, float) or value is None:
            return None
        by_number.setdefault(number, target)
    for number in sorted(by_number):
        if number > 1 and number - 1 not in by_number:
            return by_number[number], int(number - 1)
    return None
