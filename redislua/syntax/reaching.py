"""Which definitions of a local can be the one that a read sees."""

from __future__ import annotations

from redislua.syntax.nodes import (
    LOOPS,
    Block,
    Break,
    Call,
    CallStatement,
    Do,
    For,
    ForIn,
    Function,
    If,
    Name,
    Node,
    Repeat,
    Return,
)
from redislua.syntax.variables import Definition

__all__ = ["MANY", "function_around", "reaching"]

MANY = 64
"""Definitions of a local: one that has more may be anything."""

HEADS = (Function, For, ForIn)
"""What gives its parameters or variables their values: all of it follows that."""


def function_around(node: Node) -> Function | None:
    """The innermost function that a node is in; None for the main chunk."""
    outer = node.parent
    while outer is not None:
        if type(outer) is Function:
            return outer
        outer = outer.parent
    return None


def reaching(name: Name) -> list[Definition]:
    """The definitions that a read may see, in source order.

    The last one that is made on every way to the read hides those before it. One in
    another arm of the same ``if``, or in a block that is left before the read, is not seen.
    Of a local that has more than `MANY`, all are given.
    """
    variable = name.variable
    if variable is None:
        return []
    definitions = variable.definitions
    if len(definitions) == 1 or len(definitions) > MANY:
        return definitions
    here = function_around(name)
    if any(_made_in(definition) is not here for definition in definitions[1:]):
        return definitions  # a closure may run at any time
    around = _around(name)
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
    return _without_covered(seen, around) or definitions


def _around(name: Name) -> dict[int, Node]:
    """What a read is part of; for the condition of ``repeat`` its body, too."""
    around: dict[int, Node] = {}
    inner: Node = name
    for outer in name.parents():
        around[id(outer)] = outer
        if type(outer) is Repeat and inner is outer.condition:
            around[id(outer.body)] = outer.body
        inner = outer
    return around


def _without_covered(seen: list[Definition], around: dict[int, Node]) -> list[Definition]:
    """Leave out what every arm of a later ``if`` replaces."""
    nodes = {id(definition.node) for definition in seen}
    first = 0
    for definition in seen:
        for outer in definition.node.parents():
            if id(outer) in around:
                break
            is_last = outer.parent is not None and id(outer.parent) in around
            if is_last and isinstance(outer, If) and _is_covered(outer, nodes):
                first = max(first, outer.start)
    return [one for one in seen if one.node.start >= first] if first else seen


def _is_covered(statement: If, nodes: set[int]) -> bool:
    """Whether every arm gives the variable a value, or leaves."""
    if statement.otherwise is None:
        return False
    blocks = [block for _, block in statement.arms] + [statement.otherwise]
    return all(_is_given(block, nodes) for block in blocks)


def _is_given(block: Block, nodes: set[int]) -> bool:
    return any(
        id(statement) in nodes
        or isinstance(statement, Return | Break)
        or (isinstance(statement, CallStatement) and _is_error(statement.call))
        or (isinstance(statement, Do) and _is_given(statement.body, nodes))
        or (isinstance(statement, If) and _is_covered(statement, nodes))
        for statement in block.statements
    )


def _is_error(call: Node) -> bool:
    return (
        isinstance(call, Call)
        and isinstance(call.callee, Name)
        and call.callee.id == "error"
        and call.callee.variable is None
    )


def _made_in(definition: Definition) -> Function | None:
    node = definition.node
    return node if isinstance(node, Function) else function_around(node)


def _precedes(definition: Definition, name: Name) -> bool:
    node = definition.node
    if type(node) in HEADS:
        return node.start <= name.start
    return node.end <= name.start


def _is_on_the_way(definition: Definition, around: dict[int, Node]) -> bool:
    node = definition.node
    if type(node) in HEADS:
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
    outer = definition.node.parent
    while outer is not None:
        if type(outer) in LOOPS and outer.start > last and id(outer) in around:
            return True
        outer = outer.parent
    return False
