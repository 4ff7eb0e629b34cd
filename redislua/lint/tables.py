"""What is a table at some place, whatever its value was made from."""

from __future__ import annotations

from redislua.lint.reach import runs_before
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, Expression, Name, bare
from redislua.syntax.values import Kind

__all__ = ["is_table"]

TAKING = ("ipairs", "pairs", "next", "unpack", "table.concat", "table.insert", "table.sort")
"""Functions that stop the script unless their first argument is a table."""


def is_table(chunk: Chunk, expression: Expression) -> bool:
    """Whether an expression is a table in every run that comes to it.

    Its kind says so, or something before it that works on tables alone: a field was put into
    it, or a loop went through it.
    """
    value = chunk.value(expression)
    if value.is_only(Kind.TABLE):
        return not value.can_fail
    node = bare(expression)
    if not isinstance(node, Name) or not value.can_be(Kind.TABLE):
        return False
    variable = node.variable
    if variable is None or len(variable.definitions) != 1:
        return False
    if any(runs_before(target, node) for target, _ in variable.stores):
        return True
    return any(
        isinstance(read.parent, Call)
        and read.parent.path in TAKING
        and read.parent.arguments[:1] == [read]
        and runs_before(read, node)
        for read in variable.reads
    )
