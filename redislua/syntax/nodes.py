"""Lua 5.1 as a tree: one class for each kind of expression and statement.

Names are resolved while the tree is built: a `Name` knows its `Variable`, and a `Variable`
all its definitions and reads. ``start`` and ``end`` are byte offsets into the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from redislua.syntax.values import Value

__all__ = [
    "Assign",
    "Binary",
    "Block",
    "Break",
    "Call",
    "CallStatement",
    "Comment",
    "Constant",
    "Definition",
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
    "Variable",
    "While",
]


class Node:
    """A place in the file.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        parent: What it is part of; None for the main chunk.
    """

    __slots__ = ("end", "parent", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.parent: Node | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.start}..{self.end}>"

    def parents(self) -> Iterator[Node]:
        """What it is part of, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


# --- expressions -----------------------------------------------------------------------------


class Expression(Node):
    """Something with a value."""

    __slots__ = ("memo",)

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.memo: Value | None = None  # what is known of its value, once it was asked for


class Constant(Expression):
    """``nil``, ``true`` or ``false``."""

    __slots__ = ("word",)

    def __init__(self, start: int, end: int, word: str) -> None:
        super().__init__(start, end)
        self.word = word


class Number(Expression):
    """A number as it is written."""

    __slots__ = ("number",)

    def __init__(self, start: int, end: int, number: float) -> None:
        super().__init__(start, end)
        self.number = number


class String(Expression):
    """A string, its escapes resolved."""

    __slots__ = ("text",)

    def __init__(self, start: int, end: int, text: bytes) -> None:
        super().__init__(start, end)
        self.text = text


class Vararg(Expression):
    """``...``."""

    __slots__ = ("function",)

    def __init__(self, start: int, end: int, function: Function) -> None:
        super().__init__(start, end)
        self.function = function


class Name(Expression):
    """A variable where it is read or written.

    Attributes:
        id: The name.
        variable: The local it means; None for a global.
        is_written: Whether it stands on the left of an assignment.
    """

    __slots__ = ("id", "is_written", "variable")

    def __init__(self, start: int, end: int, name: str, variable: Variable | None) -> None:
        super().__init__(start, end)
        self.id = name
        self.variable = variable
        self.is_written = False


class Index(Expression):
    """``base.key`` or ``base[key]``."""

    __slots__ = ("base", "is_written", "key")

    def __init__(self, start: int, end: int, base: Expression, key: Expression) -> None:
        super().__init__(start, end)
        self.base = base
        self.key = key
        self.is_written = False


class Call(Expression):
    """A call of a function, or of a method where ``method`` is set."""

    __slots__ = ("arguments", "callee", "method")

    def __init__(
        self,
        start: int,
        end: int,
        callee: Expression,
        arguments: list[Expression],
        method: str | None,
    ) -> None:
        super().__init__(start, end)
        self.callee = callee
        self.arguments = arguments
        self.method = method


class Item(Node):
    """One entry of a table constructor; a key of None counts up."""

    __slots__ = ("key", "value")

    def __init__(self, start: int, end: int, key: Expression | None, value: Expression) -> None:
        super().__init__(start, end)
        self.key = key
        self.value = value


class Table(Expression):
    """``{…}``."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: list[Item]) -> None:
        super().__init__(start, end)
        self.items = items


class Binary(Expression):
    """Two operands and an operator, ``and`` and ``or`` included."""

    __slots__ = ("left", "operator", "right")

    def __init__(
        self, start: int, end: int, operator: str, left: Expression, right: Expression
    ) -> None:
        super().__init__(start, end)
        self.operator = operator
        self.left = left
        self.right = right


class Unary(Expression):
    """``not``, ``-`` or ``#`` and its operand."""

    __slots__ = ("operand", "operator")

    def __init__(self, start: int, end: int, operator: str, operand: Expression) -> None:
        super().__init__(start, end)
        self.operator = operator
        self.operand = operand


class Parens(Expression):
    """``(…)``, which cuts several values to one."""

    __slots__ = ("inner",)

    def __init__(self, start: int, end: int, inner: Expression) -> None:
        super().__init__(start, end)
        self.inner = inner


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

    __slots__ = ("body", "is_vararg", "name", "parameters", "returns", "variable")

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.name = ""
        self.variable: Variable | None = None
        self.parameters: list[Variable] = []
        self.is_vararg = False
        self.body = Block(start, end, [])
        self.returns: list[Return] = []


class Opaque(Expression):
    """Something that the parser could not read."""

    __slots__ = ()


# --- statements ------------------------------------------------------------------------------


class Statement(Node):
    """Something that is done."""

    __slots__ = ()


class Block(Node):
    """Statements in order, and the scope of their locals."""

    __slots__ = ("statements",)

    def __init__(self, start: int, end: int, statements: list[Statement]) -> None:
        super().__init__(start, end)
        self.statements = statements


class Local(Statement):
    """``local a, b = x, y``."""

    __slots__ = ("values", "variables")

    def __init__(
        self, start: int, end: int, variables: list[Variable], values: list[Expression]
    ) -> None:
        super().__init__(start, end)
        self.variables = variables
        self.values = values


class Assign(Statement):
    """``a, b.c = x, y``."""

    __slots__ = ("targets", "values")

    def __init__(
        self, start: int, end: int, targets: list[Expression], values: list[Expression]
    ) -> None:
        super().__init__(start, end)
        self.targets = targets
        self.values = values


class CallStatement(Statement):
    """A call whose result is dropped."""

    __slots__ = ("call",)

    def __init__(self, start: int, end: int, call: Expression) -> None:
        super().__init__(start, end)
        self.call = call


class FunctionStatement(Statement):
    """``function target() … end`` or ``local function name() … end``."""

    __slots__ = ("function", "is_local", "target")

    def __init__(
        self, start: int, end: int, target: Expression | None, function: Function, *, is_local: bool
    ) -> None:
        super().__init__(start, end)
        self.target = target
        self.function = function
        self.is_local = is_local


class Do(Statement):
    """``do … end``."""

    __slots__ = ("body",)

    def __init__(self, start: int, end: int, body: Block) -> None:
        super().__init__(start, end)
        self.body = body


class If(Statement):
    """``if … elseif … else … end``.

    Attributes:
        arms: Conditions and what is done then, in order.
        otherwise: What is done if none holds, or None.
    """

    __slots__ = ("arms", "otherwise")

    def __init__(
        self, start: int, end: int, arms: list[tuple[Expression, Block]], otherwise: Block | None
    ) -> None:
        super().__init__(start, end)
        self.arms = arms
        self.otherwise = otherwise


class While(Statement):
    """``while condition do … end``."""

    __slots__ = ("body", "condition")

    def __init__(self, start: int, end: int, condition: Expression, body: Block) -> None:
        super().__init__(start, end)
        self.condition = condition
        self.body = body


class Repeat(Statement):
    """``repeat … until condition``."""

    __slots__ = ("body", "condition")

    def __init__(self, start: int, end: int, body: Block, condition: Expression) -> None:
        super().__init__(start, end)
        self.body = body
        self.condition = condition


class For(Statement):
    """``for i = first, last, step do … end``."""

    __slots__ = ("body", "first", "last", "step", "variable")

    def __init__(
        self,
        start: int,
        end: int,
        variable: Variable,
        first: Expression,
        last: Expression,
        step: Expression | None,
        body: Block,
    ) -> None:
        super().__init__(start, end)
        self.variable = variable
        self.first = first
        self.last = last
        self.step = step
        self.body = body


class ForIn(Statement):
    """``for a, b in values do … end``."""

    __slots__ = ("body", "values", "variables")

    def __init__(
        self,
        start: int,
        end: int,
        variables: list[Variable],
        values: list[Expression],
        body: Block,
    ) -> None:
        super().__init__(start, end)
        self.variables = variables
        self.values = values
        self.body = body


class Return(Statement):
    """``return x, y``."""

    __slots__ = ("function", "values")

    def __init__(self, start: int, end: int, values: list[Expression], function: Function) -> None:
        super().__init__(start, end)
        self.values = values
        self.function = function


class Break(Statement):
    """``break``."""

    __slots__ = ()


Loop: TypeAlias = While | Repeat | For | ForIn


# --- names -----------------------------------------------------------------------------------


class Definition:
    """One place that gives a variable a value.

    Attributes:
        node: The statement.
        value: The expression, or None: ``nil``, a parameter, or a loop's variable.
        index: Which of several values that the expression gives.
    """

    __slots__ = ("index", "node", "value")

    def __init__(self, node: Node, value: Expression | None, index: int = 0) -> None:
        self.node = node
        self.value = value
        self.index = index


class Variable(Node):
    """A local, a parameter or a loop's variable, placed where it is declared.

    Attributes:
        name: Its name.
        kind: ``local``, ``parameter``, ``loop`` or ``function``.
        function: The function in which it is declared.
        definitions: In source order; a parameter's first one has no value.
        reads: Where it is read.
        stores: Where ``name[key] = value`` or ``name.key = value`` stands: key and value.
    """

    __slots__ = ("definitions", "function", "kind", "name", "reads", "stores")

    def __init__(self, start: int, end: int, name: str, kind: str, function: Function) -> None:
        super().__init__(start, end)
        self.name = name
        self.kind = kind
        self.function = function
        self.definitions: list[Definition] = []
        self.reads: list[Name] = []
        self.stores: list[tuple[Index, Expression | None]] = []

    def only_value(self) -> Expression | None:
        """The expression that is its value from beginning to end, or None."""
        if len(self.definitions) != 1 or self.kind in ("parameter", "loop"):
            return None
        only = self.definitions[0]
        return only.value if only.index == 0 else None


class Comment(Node):
    """A comment, its dashes included.

    Attributes:
        text: The bytes between ``start`` and ``end``.
    """

    __slots__ = ("text",)

    def __init__(self, start: int, end: int, text: bytes) -> None:
        super().__init__(start, end)
        self.text = text


def bare(expression: Any) -> Any:
    """The expression without parentheses around it."""
    while isinstance(expression, Parens):
        expression = expression.inner
    return expression
