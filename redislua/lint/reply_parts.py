"""What was taken out of a reply, and is nothing but a reply's part."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, Expression, ForIn, Index, Name, String, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall, path_of
from redislua.syntax.variables import Definition

__all__ = ["command_behind"]

DEEPEST = 12


def command_behind(chunk: Chunk, expression: Expression, depth: int = 0) -> CommandCall | None:
    """The command of whose reply this is the whole or a part, on every path; None if unknown.

    A part is what an index that is no name takes out, or a loop of ``ipairs``.
    """
    node = bare(expression)
    if depth > DEEPEST:
        return None
    match node:
        case Call():
            return chunk.command_of(node)
        case Index():
            if isinstance(bare(node.key), String):
                return None
            return command_behind(chunk, node.base, depth + 1)
        case Name() if node.variable is not None and not _is_filled(node):
            found = {_behind(chunk, one, depth) for one in reaching(node)}
            return found.pop() if len(found) == 1 else None
    return None


def _is_filled(name: Name) -> bool:
    """Whether the script puts fields of its own into the table."""
    return name.variable is not None and bool(name.variable.stores)


def _behind(chunk: Chunk, definition: Definition, depth: int) -> CommandCall | None:
    loop = definition.node
    if isinstance(loop, ForIn):
        source = bare(loop.values[0]) if loop.values else None
        if not isinstance(source, Call) or not source.arguments or definition.index != 1:
            return None
        if path_of(source.callee) not in ("ipairs", "pairs"):
            return None
        return command_behind(chunk, source.arguments[0], depth + 1)
    if definition.value is None or definition.index:
        return None
    return command_behind(chunk, definition.value, depth + 1)
