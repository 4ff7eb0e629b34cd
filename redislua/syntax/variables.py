"""Locals: what gives them their values, and where they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redislua.syntax.nodes import Expression, Function, Index, Name, Node, node_class

if TYPE_CHECKING:
    from redislua.syntax.values import Value

__all__ = ["Definition", "Variable"]


@dataclass(eq=False, slots=True)
class Definition:
    """One place that gives a variable a value.

    Attributes:
        node: The statement.
        value: The expression, or None: ``nil``, a parameter, or a loop's variable.
        index: Which of several values that the expression gives.
    """

    node: Node
    value: Expression | None
    index: int = 0


@node_class
class Variable(Node):
    """A local, a parameter or a loop's variable, placed where it is declared.

    Attributes:
        name: Its name.
        kind: ``local``, ``parameter``, ``loop`` or ``function``.
        function: The function in which it is declared.
        definitions: In source order; a parameter's first one has no value.
        reads: Where it is read.
        stores: Where ``name[key] = value`` or ``name.key = value`` stands: key and value.
        memo: What is known of its only value, once it was asked for.
    """

    name: str
    kind: str
    function: Function
    definitions: list[Definition] = field(default_factory=list, init=False)
    reads: list[Name] = field(default_factory=list, init=False)
    stores: list[tuple[Index, Expression | None]] = field(default_factory=list, init=False)
    memo: Value | None = field(default=None, init=False)

    def only_value(self) -> Expression | None:
        """The expression that is its value from beginning to end, or None."""
        if len(self.definitions) != 1 or self.kind in ("parameter", "loop"):
            return None
        only = self.definitions[0]
        return only.value if only.index == 0 else None
