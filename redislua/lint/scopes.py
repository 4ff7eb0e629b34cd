"""How many locals there are at a place, and which of other functions one uses."""

from __future__ import annotations

from heapq import heappop, heappush

from redislua.lint.reach import block_of
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Function, Local, Name
from redislua.syntax.variables import Variable

__all__ = ["crowded", "outer_locals"]


def crowded(variables: list[Variable], most: int) -> Variable | None:
    """The first local at which more than so many are visible; they are in source order."""
    ends: list[int] = []
    for variable in variables:
        while ends and ends[0] <= variable.start:
            heappop(ends)
        heappush(ends, _end(variable))
        if len(ends) > most:
            return variable
    return None


def _end(variable: Variable) -> int:
    node = variable.definitions[0].node
    block = block_of(node) if isinstance(node, Local) else None
    return block.end + 1 if block is not None else node.end


def outer_locals(chunk: Chunk) -> dict[Function, set[Variable]]:
    """For each function the locals of functions around it that it, or one inside it, uses."""
    found: dict[Function, set[Variable]] = {}
    for name in chunk.of(Name):
        variable = name.variable
        if variable is not None:
            for outer in name.parents():
                if outer is variable.function:
                    break
                if isinstance(outer, Function):
                    found.setdefault(outer, set()).add(variable)
    return found
