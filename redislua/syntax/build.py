"""From tree-sitter's concrete tree to ours, names resolved on the way.

A text that Lua compiles is read completely. Where tree-sitter's grammar and Lua 5.1
disagree (rare escapes), what it could not read becomes `Opaque`: rules know nothing of it.

One class reads one grammar in one pass, a short method for each kind of node: that is why
this file is long.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

from redislua.syntax.literals import number_of, readable, unescaped
from redislua.syntax.nodes import (
    Assign,
    Binary,
    Block,
    Break,
    Call,
    CallStatement,
    Comment,
    Constant,
    Do,
    Expression,
    For,
    ForIn,
    Function,
    FunctionStatement,
    If,
    Index,
    Item,
    Local,
    Name,
    Node,
    Number,
    Opaque,
    Parens,
    Repeat,
    Return,
    Statement,
    String,
    Table,
    Unary,
    Vararg,
    While,
)
from redislua.syntax.variables import Definition, Variable

__all__ = ["Builder", "TooDeep"]

N = TypeVar("N", bound=Node)

_START = attrgetter("start")

_LATER = re.compile(rb"\bglobal\b")
"""A word of Lua 5.5, which the grammar knows and Lua 5.1 does not."""

DEEPEST = 300
"""Levels of nesting that are analysed: Lua itself stops at 200, but for chains like a + b + c."""


class TooDeep(Exception):
    """The file nests deeper than is analysed."""


class Builder:
    """Reads one file.

    Attributes:
        main: The main chunk, as a function.
        variables: All locals, in source order.
        globals: Names that mean no local.
    """

    def __init__(self, source: bytes) -> None:
        """Read a file that Lua compiles.

        Raises:
            TooDeep: It nests deeper than `DEEPEST`.
        """
        self._source = source
        self._nodes: defaultdict[type[Node], list[Any]] = defaultdict(list)
        self._in_order: dict[type[Node], list[Any]] = {}
        self.variables: list[Variable] = []
        self.globals: list[Name] = []
        self._visible: dict[str, list[Variable]] = {}  # by name, innermost last
        self._scopes: list[list[Variable]] = []  # what each open block declares
        self._depth = 0
        root = _parser().parse(_plain(source)).root_node
        if root.has_error:
            root = _parser().parse(_plain(readable(source))).root_node
        self.main = self._function = Function(root.start_byte, len(source))
        self.main.is_vararg = True
        self.main.body = self._block(root, self.main)
        self.globals.sort(key=_START)

    def of(self, kind: type[Any]) -> list[Any]:
        """All nodes of a class, in source order."""
        found = self._in_order.get(kind)
        if found is None:  # some classes are never asked for, others by every rule
            found = self._in_order[kind] = sorted(self._nodes.get(kind, ()), key=_START)
        return found

    def kinds(self) -> set[object]:
        """The classes of its nodes."""
        return {kind for kind, found in self._nodes.items() if found}

    def release(self) -> None:
        """Cut what refers back."""
        for kind, found in self._nodes.items():
            for node in found:
                node.parent = None
            if issubclass(kind, Expression):
                for node in found:
                    node.memo = None
        for function in (self.main, *self.of(Function)):
            function.returns.clear()
            function.body, function.variable = Block(0, 0, []), None
        for variable in self.variables:
            variable.definitions.clear()
            variable.reads.clear()
            variable.stores.clear()
            variable.parent = variable.memo = None

    # --- scopes ------------------------------------------------------------------------------

    def _declare(self, node: Any, kind: str) -> Variable:
        start, end = node.start_byte, node.end_byte
        variable = Variable(start, end, self._word(start, end), kind, self._function)
        self.variables.append(variable)
        return variable

    def _bind(self, variable: Variable) -> None:
        self._scopes[-1].append(variable)
        self._visible.setdefault(variable.name, []).append(variable)

    def _leave(self) -> None:
        """Close the innermost scope."""
        for variable in self._scopes.pop():
            self._visible[variable.name].pop()

    def _bytes(self, node: Any) -> bytes:
        """The node's text as the file has it."""
        return self._source[node.start_byte : node.end_byte]

    def _word(self, start: int, end: int) -> str:
        return self._source[start:end].decode("utf-8", "replace")

    def _lookup(self, name: str) -> Variable | None:
        found = self._visible.get(name)
        return found[-1] if found else None

    # --- statements --------------------------------------------------------------------------

    def _block(self, node: Any, parent: Node, *names: Variable, shared: bool = False) -> Block:
        """Read the statements of a node; ``shared``: the scope stays open for its caller."""
        start, end = (node.start_byte, node.end_byte) if node else (parent.end, parent.end)
        block = Block(start, end, [])
        block.parent = parent
        self._nodes[Block].append(block)
        self._scopes.append([])
        for variable in names:
            self._bind(variable)
        for child in node.named_children if node else ():
            kind = child.type
            read = self._STATEMENTS.get(kind)
            if read is not None:
                statement = read(self, child)
                statement.parent = block
                block.statements.append(statement)
            elif kind == "comment":
                self._comment(child)
            elif kind not in ("hash_bang_line", "empty_statement"):
                self._skim(child)
        if not shared:
            self._leave()
        return block

    def _comment(self, node: Any) -> None:
        self._add(Comment(node.start_byte, node.end_byte, self._bytes(node)))

    def _skim(self, node: Any) -> None:
        """Pass what cannot be read."""
        self._add(Opaque(node.start_byte, node.end_byte))

    def _leaf(self, node: N) -> N:
        """Take a node into the list of its class."""
        self._nodes[type(node)].append(node)
        return node

    def _add(self, node: N, *parts: Node | None) -> N:
        """Take a node into the list of its class, and its parts under it."""
        for part in parts:
            if part is not None:
                part.parent = node
        self._nodes[type(node)].append(node)
        return node

    def _local(self, node: Any) -> Statement:
        inner = self._parts(node, 1)[0]
        values: list[Expression] = []
        if inner.type == "assignment_statement":
            names, expressions = self._parts(inner, 2)
            values = self._expressions(expressions)
        else:
            names = inner
        variables = [
            self._declare(child, "local")
            for child in names.named_children
            if child.type == "identifier"
        ]
        statement = Local(node.start_byte, node.end_byte, variables, values)
        self._define(statement, variables, values)
        for variable in variables:
            self._bind(variable)
        return self._add(statement, *variables, *values)

    def _define(self, node: Node, variables: list[Variable], values: list[Expression]) -> None:
        for index, variable in enumerate(variables):
            if index < len(values):
                value = values[index]
                definition = Definition(node, value)
                if isinstance(value, Function):
                    value.name, value.variable = variable.name, variable
            elif values and isinstance(values[-1], Call | Vararg):
                definition = Definition(node, values[-1], index - len(values) + 1)
            else:
                definition = Definition(node, None)
            variable.definitions.append(definition)

    def _assign(self, node: Any) -> Statement:
        names, expressions = self._parts(node, 2)
        values = self._expressions(expressions)
        targets = self._expressions(names)
        statement = Assign(node.start_byte, node.end_byte, targets, values)
        for index, target in enumerate(targets):
            surplus = values and isinstance(values[-1], Call | Vararg) and index >= len(values)
            value = values[index] if index < len(values) else values[-1] if surplus else None
            position = index - len(values) + 1 if surplus else 0
            self._write(target, statement, value, position)
        return self._add(statement, *targets, *values)

    def _write(self, target: Expression, node: Node, value: Expression | None, index: int) -> None:
        if isinstance(target, Name):
            target.is_written = True
            if target.variable is not None:
                target.variable.reads.remove(target)
                target.variable.definitions.append(Definition(node, value, index))
        elif isinstance(target, Index):
            target.is_written = True
            if isinstance(target.base, Name) and target.base.variable is not None:
                target.base.variable.stores.append((target, value))

    def _call_statement(self, node: Any) -> Statement:
        call = self._expression(node)
        return self._add(CallStatement(node.start_byte, node.end_byte, call), call)

    def _function_statement(self, node: Any) -> Statement:
        name = node.child_by_field_name("name")
        is_local = node.children[0].type == "local"
        target: Expression | None = None
        variable: Variable | None = None
        if is_local:
            variable = self._declare(name, "function")
            self._bind(variable)  # before its body, which may call it
        else:
            target = self._expression(name)
        function = self._function_of(node, is_method=name.type == "method_index_expression")
        function.name = self._bytes(name).decode("utf-8", "replace")
        function.variable = variable
        statement = FunctionStatement(node.start_byte, node.end_byte, target, function, is_local)
        if variable is not None:
            variable.definitions.append(Definition(statement, function))
        elif target is not None:
            self._write(target, statement, function, 0)
        return self._add(statement, target, variable, function)

    def _do(self, node: Any) -> Statement:
        statement = Do(node.start_byte, node.end_byte, Block(0, 0, []))
        statement.body = self._block(node.child_by_field_name("body"), statement)
        return self._add(statement)

    def _if(self, node: Any) -> Statement:
        statement = If(node.start_byte, node.end_byte, [], None)
        self._arm(node, statement)
        for child in node.children:
            if child.type == "elseif_statement":
                self._arm(child, statement)
            elif child.type == "else_statement":
                statement.otherwise = self._block(child.child_by_field_name("body"), statement)
            elif child.type == "comment":
                self._comment(child)
        return self._add(statement)

    def _arm(self, node: Any, statement: If) -> None:
        condition = self._expression(node.child_by_field_name("condition"))
        condition.parent = statement
        body = self._block(node.child_by_field_name("consequence"), statement)
        statement.arms.append((condition, body))

    def _while(self, node: Any) -> Statement:
        condition = self._expression(node.child_by_field_name("condition"))
        statement = While(node.start_byte, node.end_byte, condition, Block(0, 0, []))
        statement.body = self._block(node.child_by_field_name("body"), statement)
        return self._add(statement, condition)

    def _repeat(self, node: Any) -> Statement:
        statement = Repeat(node.start_byte, node.end_byte, Block(0, 0, []), self.main)
        statement.body = self._block(node.child_by_field_name("body"), statement, shared=True)
        statement.condition = self._expression(node.child_by_field_name("condition"))
        self._leave()
        return self._add(statement, statement.condition)

    def _for(self, node: Any) -> Statement:
        clause = node.child_by_field_name("clause")
        body = node.child_by_field_name("body")
        named = self._parts(clause, 4)
        empty = Block(0, 0, [])
        start, end = node.start_byte, node.end_byte
        if clause.type == "for_generic_clause":
            values = self._expressions(named[1])
            variables = [
                self._declare(child, "loop")
                for child in named[0].children
                if child.type == "identifier"
            ]
            each = ForIn(start, end, variables, values, empty)
            for index, variable in enumerate(variables):
                variable.definitions.append(Definition(each, None, index))
            each.body = self._block(body, each, *variables)
            return self._add(each, *variables, *values)
        bounds = [self._expression(child) for child in named[1:]]
        variable = self._declare(named[0], "loop")
        step = bounds[2] if len(bounds) > 2 else None
        counted = For(start, end, variable, bounds[0], bounds[1], step, empty)
        variable.definitions.append(Definition(counted, None))
        counted.body = self._block(body, counted, variable)
        return self._add(counted, variable, *bounds)

    def _return(self, node: Any) -> Statement:
        values = [value for part in self._parts(node, 1) for value in self._expressions(part)]
        statement = Return(node.start_byte, node.end_byte, values, self._function)
        self._function.returns.append(statement)
        return self._add(statement, *values)

    def _break(self, node: Any) -> Statement:
        return self._add(Break(node.start_byte, node.end_byte))

    # --- expressions -------------------------------------------------------------------------

    def _expressions(self, node: Any) -> list[Expression]:
        if node.type in ("expression_list", "variable_list"):
            return self._each(node)
        return [self._expression(node)]

    def _each(self, node: Any) -> list[Expression]:
        """Read its named children, but for comments, which are taken note of."""
        found: list[Expression] = []
        for child in node.named_children:
            if child.type == "comment":
                self._comment(child)
            else:
                found.append(self._expression(child))
        return found

    def _parts(self, node: Any, count: int) -> list[Any]:
        """Its named children, so many of them unless comments stand between: those are noted."""
        found: list[Any] = node.named_children
        if len(found) == count:
            return found
        for child in found:
            if child.type == "comment":
                self._comment(child)
        return [child for child in found if child.type != "comment"][:count]

    def _expression(self, node: Any) -> Expression:
        if node is None:
            return Opaque(0, 0)
        kind = node.type
        leaf = self._LEAVES.get(kind)
        if leaf is not None:
            return leaf(self, node)
        self._depth += 1
        if self._depth > DEEPEST:
            raise TooDeep
        found = self._EXPRESSIONS.get(kind, Builder._opaque)(self, node)
        self._depth -= 1
        return found

    def _opaque(self, node: Any) -> Expression:
        return self._add(Opaque(node.start_byte, node.end_byte))

    def _constant(self, node: Any) -> Expression:
        return self._leaf(Constant(node.start_byte, node.end_byte, node.type))

    def _number(self, node: Any) -> Expression:
        start, end = node.start_byte, node.end_byte
        number = number_of(self._source[start:end])
        if number is None:
            return self._opaque(node)
        return self._leaf(Number(start, end, number))

    def _string(self, node: Any) -> Expression:
        start, end = node.start_byte, node.end_byte
        text = self._source[start:end]
        if text[:1] in (b"'", b'"'):
            content = unescaped(text[1:-1])
        else:
            opening = text.index(b"[", 1) + 1
            content = text[opening:-opening].removeprefix(b"\r").removeprefix(b"\n")
        return self._leaf(String(start, end, content))

    def _vararg(self, node: Any) -> Expression:
        return self._add(Vararg(node.start_byte, node.end_byte, self._function))

    def _name(self, node: Any) -> Expression:
        start, end = node.start_byte, node.end_byte
        word = self._word(start, end)
        name = Name(start, end, word, self._lookup(word))
        if name.variable is None:
            self.globals.append(name)
        else:
            name.variable.reads.append(name)
        return self._leaf(name)

    def _dot(self, node: Any) -> Expression:
        base, field = self._parts(node, 2)
        inner = self._expression(base)
        start, end = field.start_byte, field.end_byte
        key = self._leaf(String(start, end, self._source[start:end]))
        return self._add(Index(node.start_byte, node.end_byte, inner, key), inner, key)

    def _bracket(self, node: Any) -> Expression:
        base, field = self._parts(node, 2)
        inner, key = self._expression(base), self._expression(field)
        return self._add(Index(node.start_byte, node.end_byte, inner, key), inner, key)

    def _call(self, node: Any) -> Expression:
        callee, arguments = self._parts(node, 2)
        method: str | None = None
        if callee.type == "method_index_expression":
            base, field = self._parts(callee, 2)
            method = self._bytes(field).decode("utf-8", "replace")
            function = self._expression(base)
        else:
            function = self._expression(callee)
        passed = self._each(arguments)
        call = Call(node.start_byte, node.end_byte, function, passed, method)
        return self._add(call, function, *passed)

    def _function_of(self, node: Any, *, is_method: bool = False) -> Function:
        before = self._function
        function = self._function = Function(node.start_byte, node.end_byte)
        parameters = node.child_by_field_name("parameters")
        if is_method:
            variable = Variable(
                parameters.start_byte, parameters.start_byte, "self", "parameter", function
            )
            function.parameters.append(variable)
        for child in parameters.children:
            if child.type == "identifier":
                function.parameters.append(self._declare(child, "parameter"))
            elif child.type == "vararg_expression":
                function.is_vararg = True
        for variable in function.parameters:
            variable.definitions.append(Definition(function, None))
        function.body = self._block(
            node.child_by_field_name("body"), function, *function.parameters
        )
        self._function = before
        return self._add(function, *function.parameters)

    def _table(self, node: Any) -> Expression:
        items: list[Item] = []
        for child in node.children:
            if child.type == "field":
                items.append(self._item(child))
            elif child.type == "comment":
                self._comment(child)
        return self._add(Table(node.start_byte, node.end_byte, items), *items)

    def _item(self, node: Any) -> Item:
        named = self._parts(node, 2)
        key: Expression | None = None
        if len(named) > 1:
            if node.children[0].type == "[":
                key = self._expression(named[0])
            else:
                key = self._add(
                    String(named[0].start_byte, named[0].end_byte, self._bytes(named[0]))
                )
        value = self._expression(named[-1])
        return self._add(Item(node.start_byte, node.end_byte, key, value), key, value)

    def _binary(self, node: Any) -> Expression:
        one, other = self._parts(node, 2)
        left, right = self._expression(one), self._expression(other)
        operator = next(child.type for child in node.children[1:] if not child.is_named)
        binary = Binary(node.start_byte, node.end_byte, operator, left, right)
        return self._add(binary, left, right)

    def _unary(self, node: Any) -> Expression:
        operand = self._expression(self._parts(node, 1)[0])
        operator = node.children[0].type
        return self._add(Unary(node.start_byte, node.end_byte, operator, operand), operand)

    def _parens(self, node: Any) -> Expression:
        inner = self._expression(self._parts(node, 1)[0])
        return self._add(Parens(node.start_byte, node.end_byte, inner), inner)

    _STATEMENTS: ClassVar[dict[str, Callable[[Builder, Any], Statement]]] = {
        "local_declaration": _local,
        "variable_declaration": _local,
        "assignment_statement": _assign,
        "function_call": _call_statement,
        "function_declaration": _function_statement,
        "do_statement": _do,
        "if_statement": _if,
        "while_statement": _while,
        "repeat_statement": _repeat,
        "for_statement": _for,
        "return_statement": _return,
        "break_statement": _break,
    }

    _LEAVES: ClassVar[dict[str, Callable[[Builder, Any], Expression]]] = {
        "nil": _constant,
        "true": _constant,
        "false": _constant,
        "number": _number,
        "string": _string,
        "vararg_expression": _vararg,
        "identifier": _name,
    }

    _EXPRESSIONS: ClassVar[dict[str, Callable[[Builder, Any], Expression]]] = {
        "dot_index_expression": _dot,
        "method_index_expression": _dot,
        "bracket_index_expression": _bracket,
        "function_call": _call,
        "function_definition": _function_of,
        "table_constructor": _table,
        "binary_expression": _binary,
        "unary_expression": _unary,
        "parenthesized_expression": _parens,
    }


@cache
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_lua

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_lua.language()))


def _plain(source: bytes) -> bytes:
    """The text with ordinary names where the grammar has words of later versions.

    Every place stays where it is. Texts are taken from the file itself.
    """
    return _LATER.sub(b"globa_", source) if b"global" in source else source
