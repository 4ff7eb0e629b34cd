"""What a script has written when it comes to a place: nothing takes it back."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Block, Break, Call, Function, If, Node, Return
from redislua.syntax.sites import CommandCall

__all__ = ["Writes"]

DEPTH = 4
"""How many functions deep a write or a call is looked for."""


class Writes:
    """Where a script writes, gathered once for all questions."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._calls: dict[Function, list[Call]] = {}
        for call in chunk.calls:
            self._calls.setdefault(chunk.function_around(call), []).append(call)
        self._in: dict[Function, list[tuple[Call, CommandCall]]] = {}

    def before(self, node: Node, depth: int = DEPTH) -> CommandCall | None:
        """The last write that may have been made when a place is come to, or None."""
        here = self._chunk.function_around(node)
        for call, command in reversed(self._of(here, DEPTH)):
            if call.end <= node.start and _can_lead_to(call, node):
                return command
        if depth == 0 or here.variable is None:
            return None
        for read in here.variable.reads:
            caller = read.parent
            if isinstance(caller, Call) and caller.callee is read:
                found = self.before(caller, depth - 1)
                if found is not None:
                    return found
        return None

    def _of(self, function: Function, depth: int) -> list[tuple[Call, CommandCall]]:
        """Calls within a function that write, in source order, and the commands that do it."""
        known = self._in.get(function)
        if known is not None:
            return known
        self._in[function] = found = []
        for call in self._calls.get(function, ()):
            command = self._chunk.command_of(call)
            if command is None:
                called = self._chunk.function_called(call)
                inner = self._of(called, depth - 1) if called is not None and depth else []
                command = inner[0][1] if inner else None
            elif command.row is None or "write" not in command.row.flags:
                command = None
            if command is not None:
                found.append((call, command))
        return found


def _can_lead_to(first: Node, then: Node) -> bool:
    """Whether a path through ``first`` can come to ``then``, which stands below it."""
    around = {id(one) for one in then.parents()}
    for outer in first.parents():
        if id(outer) in around:
            # In another arm of the same `if`: one of its conditions still leads there.
            return not isinstance(outer, If)
        if isinstance(outer, Block) and _is_left(outer):
            return False
    return False


def _is_left(block: Block) -> bool:
    return bool(block.statements) and isinstance(block.statements[-1], Return | Break)
