"""What runs before what, and whose errors are caught."""

from __future__ import annotations

from redislua.syntax.nodes import Block, Call, Function, Node
from redislua.syntax.sites import path_of

__all__ = ["block_of", "is_in_protected_call", "runs_before"]

CATCHING = ("pcall", "xpcall")


def block_of(node: Node) -> Block | None:
    """The innermost block that a node is in."""
    return next((outer for outer in node.parents() if isinstance(outer, Block)), None)


def runs_before(first: Node, then: Node) -> bool:
    """Whether what holds ``first`` has run whenever ``then`` does, as far as blocks tell."""
    block = block_of(first)
    return (
        block is not None
        and first.start < then.start
        and any(outer is block for outer in then.parents())
    )


def is_in_protected_call(node: Node) -> bool:
    """Whether ``pcall`` or ``xpcall`` catches what goes wrong at a place, as far as seen."""
    return _is_caught(node, ())


def _is_caught(node: Node, inside: tuple[Function, ...]) -> bool:
    for outer in node.parents():
        if not isinstance(outer, Function) or outer in inside:
            continue
        if _is_handed_to_pcall(outer, outer.parent):
            return True
        for read in outer.variable.reads if outer.variable is not None else ():
            call = read.parent
            if _is_handed_to_pcall(read, call):
                return True
            if (
                isinstance(call, Call)
                and call.callee is read
                and _is_caught(call, (*inside, outer))
            ):
                return True
    return False


def _is_handed_to_pcall(node: Node, call: Node | None) -> bool:
    return (
        isinstance(call, Call)
        and any(one is node for one in call.arguments)
        and path_of(call.callee) in CATCHING
    )
