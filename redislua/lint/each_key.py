"""Loops that go through all of KEYS."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Break, Call, Expression, For, ForIn, If, Index, Name, Node, bare
from redislua.syntax.variables import Variable

__all__ = ["comes_to_all", "loop_over_keys"]


def loop_over_keys(chunk: Chunk, key: Expression) -> Node | None:
    """The loop over all KEYS whose element a key is; None for any other key."""
    node = bare(key)
    if isinstance(node, Index) and chunk.value(node.base).symbol == "KEYS":
        counter = _variable(bare(node.key))
        loop = counter.definitions[0].node if counter is not None else None
        if not isinstance(loop, For) or loop.step is not None:
            return None
        is_from_first = chunk.value(loop.first).constant == 1
        is_to_last = chunk.value(loop.last).symbol == ("#", "KEYS")
        return loop if is_from_first and is_to_last else None
    element = _variable(node)
    loop = element.definitions[0].node if element is not None else None
    if not isinstance(loop, ForIn) or loop.variables[1:2] != [element]:
        return None
    source = bare(loop.values[0])
    if not isinstance(source, Call) or source.path not in ("ipairs", "pairs"):
        return None
    is_keys = any(chunk.value(one).symbol == "KEYS" for one in source.arguments[:1])
    return loop if is_keys else None


def comes_to_all(chunk: Chunk, node: Node, loop: Node) -> bool:
    """Whether every round of a loop comes to a place in it, as far as blocks tell."""
    for outer in node.parents():
        if outer is loop:
            break
        if isinstance(outer, If):
            return False
    return not any(loop.start < one.start < loop.end for one in chunk.of(Break))


def _variable(node: Expression) -> Variable | None:
    """A loop's variable that nothing else changes."""
    variable = node.variable if isinstance(node, Name) else None
    is_own = variable is not None and variable.kind == "loop" and len(variable.definitions) == 1
    return variable if is_own else None
