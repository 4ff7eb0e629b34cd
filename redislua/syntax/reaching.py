"""Which definitions of a local can be the one that a read sees."""

from __future__ import annotations

from redislua.syntax.nodes import (
    Block,
    Break,
    Definition,
    For,
    ForIn,
    Function,
    If,
    Name,
    Node,
    Repeat,
    Return,
    While,
)

__all__ = ["function_around", "reaching"]

LOOPS = (While, Repeat, For, ForIn)


def function_around(node: Node) -> Function | None:
    """The innermost function that a node is in; None for the main chunk."""
    for outer in node.parents():
        if isinstance(outer, Function):
            return outer
    return None


def reaching(name: Name) -> list[Definition]:
    """The definitions that a read may see, in source order.

    The last one that is made on every way to the read hides those before it. One in
    another arm of the same ``if``, or in a block that is left before the read, is not seen.
    """
    variable = name.variable
    if variable is None:
        return []
    definitions = variable.definitions
    if len(definitions) == 1:
        return definitions
    here = function_around(name)
    if any(_made_in(definition) is not here for definition in definitions[1:]):
        return definitions  # a closure may run at any time
    around = {id(node): node for node in name.parents()}
    seen: list[Definition] = []
    last = -1
    for definition in definitions:
        if _precedes(definition, name) and _is_on_the_way(definition, around):
            seen = [definition]
            last = definition.node.start
        elif _comes_again(definition, around, last) or (
            _precedes(definition, name) and _can_follow(definition, around)
        ):
            seen.append(definition)
    return seen or definitions


def _made_in(definition: Definition) -> Function | None:
    node = definition.node
    return node if isinstance(node, Function) else function_around(node)


def _precedes(definition: Definition, name: Name) -> bool:
    node = definition.node
    if isinstance(node, Function | For | ForIn):  # a parameter, a loop's variable
        return node.start <= name.start
    return node.end <= name.start


def _is_on_the_way(definition: Definition, around: dict[int, Node]) -> bool:
    node = definition.node
    if isinstance(node, Function | For | ForIn):
        return True
    return node.parent is not None and id(node.parent) in around


def _can_follow(definition: Definition, around: dict[int, Node]) -> bool:
    """Whether what comes after a definition can be the read."""
    for outer in definition.node.parents():
        if id(outer) in around:
            return not isinstance(outer, If)  # another arm
        if isinstance(outer, Block) and outer.statements:
            end = outer.statements[-1]
            if isinstance(end, Return) or (isinstance(end, Break) and _loop_holds(end, around)):
                return False
    return True


def _loop_holds(node: Node, around: dict[int, Node]) -> bool:
    """Whether the loop that a ``break`` leaves also holds the read."""
    for outer in node.parents():
        if isinstance(outer, LOOPS):
            return id(outer) in around
    return False


def _comes_again(definition: Definition, around: dict[int, Node], last: int) -> bool:
    """Whether a loop around both carries a later definition to the read."""
    return any(
        isinstance(outer, LOOPS) and outer.start > last and id(outer) in around
        for outer in definition.node.parents()
    )
