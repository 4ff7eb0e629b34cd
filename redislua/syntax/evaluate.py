"""What each expression can be, as far as the script's own text tells.

Where it does not tell, the answer is `ANYTHING`: rules are silent then. Loops and recursion
end because an expression that is being evaluated already adds `NOTHING` to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from redislua.syntax import library
from redislua.syntax.arithmetic import arithmetic
from redislua.syntax.elements import element_of, is_list, may_be_equal
from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    For,
    ForIn,
    Function,
    Index,
    Name,
    Parens,
    String,
    Table,
    Unary,
    bare,
)
from redislua.syntax.reaching import MANY, reaching
from redislua.syntax.replies import SCANS, reply_or_error, reply_value, scan_part
from redislua.syntax.sites import CommandCall, function_of, path_of
from redislua.syntax.values import ANYTHING, NOTHING, Kind, Origin, Value, joined, symbol_of
from redislua.syntax.variables import Definition, Variable
from redislua.syntax.written import GLOBALS, LITERALS, PASSED, WORDS

__all__ = ["Evaluator"]

WORK = 20_000
"""Evaluations of one file, above which what is part of a cycle is not evaluated anew."""

DEEPEST = 60
"""Values that one may rest on, one on another: beyond that it may be anything."""

_NUMBER = Value(Origin.NONE, Kind.NUMBER)
_BOOLEAN = Value(Origin.LITERAL, Kind.BOOLEAN)


class Evaluator:
    """Evaluates the expressions of one file, each once."""

    def __init__(
        self,
        commands: dict[Call, CommandCall],
        caught: dict[Call, CommandCall],
        calls_of: dict[Function, list[Call] | None],
        registered: set[Function],
        is_tested: Callable[[Expression], bool],
    ) -> None:
        """Know the places where commands and local functions are called.

        Args:
            commands: By the call.
            caught: Commands that ``pcall(redis.call, …)`` calls, by the call of ``pcall``.
            calls_of: Every call of a function, or None where it may be called elsewhere.
            registered: The functions of a library, which get KEYS and ARGV as tables.
            is_tested: Whether the script asked before what an expression is.
        """
        self._commands = commands
        self._caught = caught
        self._calls_of = calls_of
        self._registered = registered
        self._is_tested = is_tested
        self._open: set[Expression | Variable] = set()
        self._is_cut = False
        self._work = 0

    def value(self, expression: Expression) -> Value:
        """What is known of an expression's value; of the first, where it gives several."""
        known = expression.memo
        if known is not None:
            return known
        kind = type(expression)
        literal = LITERALS.get(kind)
        if literal is not None:
            known = expression.memo = literal(expression)
            return known
        outer = self._open
        if expression in outer:
            self._is_cut = True
            return NOTHING
        if len(outer) > DEEPEST:
            return ANYTHING
        cut_before, self._is_cut = self._is_cut, False
        outer.add(expression)
        self._work += 1
        evaluate = self._BY_CLASS.get(kind)
        found = ANYTHING if evaluate is None else evaluate(self, expression)
        if found.can_be(Kind.FALSY) and self._is_tested(expression):
            # It was asked for, so somebody thought of it: no rule knows better.
            found = found if found.is_only(Kind.FALSY) else found.without(Kind.FALSY)
        outer.discard(expression)
        if not outer:
            self._is_cut = False
        if not self._is_cut or self._work > WORK:
            if not found.kind._value_:  # nothing but a cycle
                found = ANYTHING
            expression.memo = found
        self._is_cut = self._is_cut or cut_before
        return found

    def definition(self, definition: Definition, variable: Variable) -> Value:
        """What a definition gives its variable."""
        if definition.value is not None:
            return self.nth(definition.value, definition.index)
        node = definition.node
        if variable.kind == "parameter" and isinstance(node, Function):
            return self._argument(node, variable)
        if isinstance(node, For):
            # One value after another: no symbol, and whole where it begins whole.
            first, step = self.value(node.first), node.step
            is_whole = first.is_whole and (step is None or self.value(step).is_whole)
            return Value(Origin.LITERAL, Kind.NUMBER, is_whole=is_whole)
        if isinstance(node, ForIn):
            return self._element_of(node, definition.index)
        return WORDS["nil"]

    def nth(self, expression: Expression, index: int) -> Value:
        """What is known of one of several values that an expression gives."""
        if index == 0:
            return self.value(expression)
        if isinstance(expression, Call):
            path = path_of(expression.callee)
            if path in ("unpack", "table.unpack") and expression.arguments:
                return element_of(self.value(expression.arguments[0]))
            if path in ("pcall", "xpcall"):
                command = self._caught.get(expression) if index == 1 else None
                return ANYTHING if command is None else reply_or_error(command)
            function = function_of(expression)
            if function is not None and function.returns:
                return joined(
                    self.nth(one.values[index], 0)
                    if index < len(one.values)
                    else (
                        ANYTHING
                        if one.values and isinstance(one.values[-1], Call)
                        else WORDS["nil"]
                    )
                    for one in function.returns
                )
        return ANYTHING

    # --- names -------------------------------------------------------------------------------

    def _name(self, node: Name) -> Value:
        variable = node.variable
        if variable is None:
            return GLOBALS.get(node.id, ANYTHING)
        count = len(variable.definitions)
        if count == 1:
            only = variable.memo
            if only is None:
                only = self.definition(variable.definitions[0], variable)
                if only.symbol is None:
                    # Read anywhere, it is what it was: unless it is a parameter or a loop's.
                    only = only.called(("local", variable.start))
                if not self._is_cut:
                    variable.memo = only
            return only
        if count > MANY:
            return ANYTHING
        return joined(self.definition(definition, variable) for definition in reaching(node))

    def _argument(self, function: Function, variable: Variable) -> Value:
        position = function.parameters.index(variable)
        if function in self._registered:
            return PASSED[position] if position < len(PASSED) else WORDS["nil"]
        calls = self._calls_of.get(function)
        if not calls:
            return ANYTHING
        found = []
        for call in calls:
            is_own = function_of(call) is function
            arguments: list[Expression] = call.arguments if is_own else call.arguments[1:]
            if position < len(arguments):
                found.append(self.value(arguments[position]))
            elif arguments and isinstance(arguments[-1], Call):
                found.append(ANYTHING)
            else:
                found.append(WORDS["nil"])
        value = joined(found)
        # Calls differ: what one passes is equal to itself alone within one call.
        return value if len(found) == 1 else value.but(reply=None)

    def _element_of(self, loop: ForIn, index: int) -> Value:
        source = bare(loop.values[0]) if loop.values else None
        if isinstance(source, Call) and source.arguments:
            path = path_of(source.callee)
            over = self.value(source.arguments[0])
            if path == "ipairs":
                if index == 0:
                    return Value(Origin.LITERAL, Kind.NUMBER)
                return element_of(over).without(Kind.NIL)
            if path == "pairs":
                if index == 0:
                    if is_list(bare(source.arguments[0]), over):
                        return Value(Origin.LITERAL, Kind.NUMBER)
                    return Value(over.origin, Kind.ANY & ~Kind.NIL)
                return element_of(over).without(Kind.NIL)
            if path in ("string.gmatch", "string.gfind"):
                return Value(over.origin, Kind.STRING)
        return ANYTHING

    # --- tables ------------------------------------------------------------------------------

    def _index(self, node: Index) -> Value:
        base, key = bare(node.base), bare(node.key)
        if type(key) is String:
            constant = library.CONSTANTS.get(path_of(node))
            if constant is not None:
                return constant
        whole = self.value(node.base)
        at = self.value(key)
        if isinstance(base, Name) and base.variable is not None:
            stored = self._stored(base.variable, at)
            if stored is not None:
                return stored
        if isinstance(at.constant, bytes):
            if whole.can_be(Kind.TABLE) and whole.reply is not None:
                return Value(Origin.STORED, Kind.STRING | Kind.NIL)  # .err and .ok
            return Value(whole.origin, Kind.ANY, is_whole=False)
        found = element_of(whole)
        if whole.reply is not None and whole.reply.name in SCANS:
            found = scan_part(at.constant)
        if whole.symbol in ("KEYS", "ARGV") and at.symbol is not None:
            found = found.called((whole.symbol, at.symbol))
        elif whole.symbol is not None and at.symbol is not None:
            found = found.called(symbol_of("index", whole.symbol, at.symbol))
        return found

    def _stored(self, variable: Variable, at: Value) -> Value | None:
        """What was put into a table of the script's own under a key."""
        table = bare(variable.only_value())
        if not isinstance(table, Table):
            return None
        found: list[Value] = []
        position = 0
        for item in table.items:
            if item.key is None:
                position += 1
            key: Any = float(position) if item.key is None else self.value(item.key).constant
            if at.constant is None or key is None or key == at.constant:
                is_tail = item is table.items[-1] and isinstance(item.value, Call)
                found.append(self.value(item.value))
                if is_tail and item.key is None:
                    found.append(self.nth(item.value, 1))
            elif (
                item.key is None
                and item is table.items[-1]
                and isinstance(item.value, Call)
                and isinstance(at.constant, float)
                and at.constant > position
            ):
                found.append(self.nth(item.value, int(at.constant) - position))
        for target, value in variable.stores:
            if may_be_equal(at, self.value(target.key)):
                found.append(ANYTHING if value is None else self.value(value))
        if not isinstance(at.constant, bytes):
            found += self._inserted(variable)
        if not found:
            return None
        return joined([*found, WORDS["nil"]] if at.constant is None else found).called(None)

    def _inserted(self, variable: Variable) -> list[Value]:
        """What ``table.insert`` put into a table."""
        found = []
        for read in variable.reads:
            call = read.parent
            if (
                isinstance(call, Call)
                and len(call.arguments) > 1
                and call.arguments[0] is read
                and path_of(call.callee) == "table.insert"
            ):
                found.append(self.value(call.arguments[-1]))
        return found

    def _table(self, node: Table) -> Value:
        found = [self.value(item.value) for item in node.items if item.key is None]
        holder = node.parent
        variables = getattr(holder, "variables", None)
        values = getattr(holder, "values", None)
        if variables and values and node in values:
            index = values.index(node)
            if index < len(variables):
                variable = variables[index]
                found += [
                    ANYTHING if value is None else self.value(value)
                    for target, value in variable.stores
                    if not isinstance(bare(target.key), String)
                ]
                found += self._inserted(variable)
        if not found:
            return Value(Origin.LITERAL, Kind.TABLE)
        element = joined(found).but(symbol=None, constant=None, reply=None)
        return Value(element.origin or Origin.LITERAL, Kind.TABLE, element=element)

    # --- operators ---------------------------------------------------------------------------

    def _binary(self, node: Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        match node.operator:
            case "or":
                if left.is_only(Kind.TRUTHY):
                    return left
                return joined([left.without(Kind.FALSY), right])
            case "and":
                if left.is_only(Kind.TRUTHY):
                    return right
                # nil and false are the same wherever they come from: what `right` is, counts.
                return joined([left.without(Kind.TRUTHY).but(origin=Origin.NONE), right])
            case "..":
                return library.concatenated([left, right])
            case "+" | "-" | "*" | "/" | "%" | "^":
                return arithmetic(node.operator, left, right)
            case "==" | "~=" | "<" | ">" | "<=" | ">=":
                return _BOOLEAN
            case _:  # an operator that Lua 5.1 lacks
                return ANYTHING

    def _unary(self, node: Unary) -> Value:
        operand = self.value(node.operand)
        if node.operator == "-":
            constant = operand.constant
            number = -constant if isinstance(constant, float) else None
            return operand.but(kind=Kind.NUMBER, constant=number, symbol=number, reply=None)
        if node.operator == "#":
            return _NUMBER.but(origin=operand.origin, symbol=symbol_of("#", operand.symbol))
        return _BOOLEAN

    # --- calls -------------------------------------------------------------------------------

    def _call(self, node: Call) -> Value:
        command = self._commands.get(node)
        if command is not None:
            return reply_value(command)
        if node.method is not None:
            if node.method in library.METHODS:
                values = [self.value(node.callee), *map(self.value, node.arguments)]
                return library.METHODS[node.method](values)
            return ANYTHING
        path = node.path
        if path in ("unpack", "table.unpack") and node.arguments:
            return element_of(self.value(node.arguments[0]))
        if path in library.FUNCTIONS:
            return library.FUNCTIONS[path]([self.value(one) for one in node.arguments])
        function = function_of(node)
        if function is not None:
            return self._result(function)
        return ANYTHING

    def _result(self, function: Function) -> Value:
        found = [
            self.value(one.values[0]) if one.values else WORDS["nil"] for one in function.returns
        ]
        if not found or not _always_returns(function):
            found.append(WORDS["nil"])
        # Its parameters differ from call to call, and so may what it gives.
        return joined(found).called(None)

    def _parens(self, node: Parens) -> Value:
        return self.value(node.inner)

    _BY_CLASS: ClassVar[dict[type[Expression], Callable[[Evaluator, Any], Value]]] = {
        Name: _name,
        Index: _index,
        Table: _table,
        Binary: _binary,
        Unary: _unary,
        Call: _call,
        Parens: _parens,
    }


# --- within --------------------------------------------------------------------------------------


def _always_returns(function: Function) -> bool:
    statements = function.body.statements
    return bool(statements) and any(statements[-1] is one for one in function.returns)
