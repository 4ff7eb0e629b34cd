"""Lua 5.1 as a tree: one class for each kind of expression and statement.

Names are resolved while the tree is built: a `Name` knows its `Variable`, and a `Variable`
all its definitions and reads. ``start`` and ``end`` are byte offsets into the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from redislua.syntax.values import Value
    from redislua.syntax.variables import Variable

__all__ = [
    "LOOPS",
    "Assign",
    "Binary",
    "Block",
    "Break",
    "Call",
    "CallStatement",
    "Comment",
    "Constant",
    "Do",
    "Expression",
    "For",
    "ForIn",
    "Function",
    "FunctionStatement",
    "If",
    "Index",
    "Item",
    "Local",
    "Loop",
    "Name",
    "Node",
    "Number",
    "Opaque",
    "Parens",
    "Repeat",
    "Return",
    "Statement",
    "String",
    "Table",
    "Unary",
    "Vararg",
    "While",
    "bare",
    "node_class",
]


T = TypeVar("T")


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def node_class(kind: type[T]) -> type[T]:
    """A class whose instances are equal to themselves alone."""
    return dataclass(eq=False, repr=False, slots=True)(kind)


@node_class
class Node:
    """A place in the file.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        parent: What it is part of; None for the main chunk.
    """

    start: int
    end: int
    parent: Node | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.start}..{self.end}>"

    def parents(self) -> Iterator[Node]:
        """What it is part of, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


# --- expressions -----------------------------------------------------------------------------


@node_class
class Expression(Node):
    """Something with a value.

    Attributes:
        memo: What is known of its value, once it was asked for.
    """

    memo: Value | None = field(default=None, init=False)


@node_class
class Constant(Expression):
    """``nil``, ``true`` or ``false``."""

    word: str


@node_class
class Number(Expression):
    """A number as it is written."""

    number: float


@node_class
class String(Expression):
    """A string, its escapes resolved."""

    text: bytes


@node_class
class Vararg(Expression):
    """``...``."""

    function: Function


@node_class
class Name(Expression):
    """A variable where it is read or written.

    Attributes:
        id: The name.
        variable: The local it means; None for a global.
        is_written: Whether it stands on the left of an assignment.
    """

    id: str
    variable: Variable | None
    is_written: bool = field(default=False, init=False)


@node_class
class Index(Expression):
    """``base.key`` or ``base[key]``."""

    base: Expression
    key: Expression
    is_written: bool = field(default=False, init=False)


@node_class
class Call(Expression):
    """A call of a function, or of a method where ``method`` is set.

    Attributes:
        path: ``string.format`` where that is called, through whatever alias; None for others.
    """

    callee: Expression
    arguments: list[Expression]
    method: str | None
    path: str | None = field(default=None, init=False)


@node_class
class Item(Node):
    """One entry of a table constructor; a key of None counts up."""

    key: Expression | None
    value: Expression


@node_class
class Table(Expression):
    """``{…}``."""

    items: list[Item]


@node_class
class Binary(Expression):
    """Two operands and an operator, ``and`` and ``or`` included."""

    operator: str
    left: Expression
    right: Expression


@node_class
class Unary(Expression):
    """``not``, ``-`` or ``#`` and its operand."""

    operator: str
    operand: Expression


@node_class
class Parens(Expression):
    """``(…)``, which cuts several values to one."""

    inner: Expression


@node_class
class Function(Expression):
    """A function's parameters and body; the main chunk is one, too.

    Attributes:
        name: What it is called in messages, or ``""``.
        variable: The local that holds it and nothing else ever, or None.
        parameters: In order.
        is_vararg: Whether they end with ``...``.
        body: Its statements.
        returns: Its own, without those of functions inside it.
    """

    name: str = field(default="", init=False)
    variable: Variable | None = field(default=None, init=False)
    parameters: list[Variable] = field(default_factory=list, init=False)
    is_vararg: bool = field(default=False, init=False)
    body: Block = field(default_factory=lambda: Block(0, 0, []), init=False)
    returns: list[Return] = field(default_factory=list, init=False)


@node_class
class Opaque(Expression):
    """Something that the parser could not read."""


# --- statements ------------------------------------------------------------------------------


@node_class
class Statement(Node):
    """Something that is done."""


@node_class
class Block(Node):
    """Statements in order, and the scope of their locals."""

    statements: list[Statement]


@node_class
class Local(Statement):
    """``local a, b = x, y``."""

    variables: list[Variable]
    values: list[Expression]


@node_class
class Assign(Statement):
    """``a, b.c = x, y``."""

    targets: list[Expression]
    values: list[Expression]


@node_class
class CallStatement(Statement):
    """A call whose result is dropped."""

    call: Expression


@node_class
class FunctionStatement(Statement):
    """``function target() … end`` or ``local function name() … end``, which has no target."""

    target: Expression | None
    function: Function
    is_local: bool


@node_class
class Do(Statement):
    """``do … end``."""

    body: Block


@node_class
class If(Statement):
    """``if … elseif … else … end``.

    Attributes:
        arms: Conditions and what is done then, in order.
        otherwise: What is done if none holds, or None.
    """

    arms: list[tuple[Expression, Block]]
    otherwise: Block | None


@node_class
class While(Statement):
    """``while condition do … end``."""

    condition: Expression
    body: Block


@node_class
class Repeat(Statement):
    """``repeat … until condition``."""

    body: Block
    condition: Expression


@node_class
class For(Statement):
    """``for i = first, last, step do … end``."""

    variable: Variable
    first: Expression
    last: Expression
    step: Expression | None
    body: Block


@node_class
class ForIn(Statement):
    """``for a, b in values do … end``."""

    variables: list[Variable]
    values: list[Expression]
    body: Block


@node_class
class Return(Statement):
    """``return x, y``."""

    values: list[Expression]
    function: Function


@node_class
class Break(Statement):
    """``break``."""


Loop: TypeAlias = While | Repeat | For | ForIn
LOOPS = (While, Repeat, For, ForIn)


@node_class
class Comment(Node):
    """A comment.

    Attributes:
        text: Its bytes, the dashes included.
    """

    text: bytes


def bare(expression: Any) -> Any:
    """The expression without parentheses around it."""
    while type(expression) is Parens:
        expression = expression.inner
    return expression
