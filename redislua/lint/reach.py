"""What runs before what, and whose errors are caught."""

from __future__ import annotations

from redislua.syntax.nodes import Block, Call, Function, Node
from redislua.syntax.sites import path_of

__all__ = ["block_of", "is_in_protected_call", "runs_before"]

CATCHING = ("pcall", "xpcall")


def block_of(node: Node) -> Block | None:
    """The innermost block that a node is in."""
    outer = node.parent
    while outer is not None and type(outer) is not Block:
        outer = outer.parent
    return outer


def runs_before(first: Node, then: Node) -> bool:
    """Whether what holds ``first`` has run whenever ``then`` does, as far as blocks tell."""
    if first.start >= then.start:
        return False
    block = block_of(first)
    # A block is around what begins within it.
    return block is not None and block.start <= then.start < block.end


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
