"""Where a script calls Redis: through ``redis.call``, ``redis.pcall`` and their aliases."""

from __future__ import annotations

from redislua.syntax.commands import Command
from redislua.syntax.nodes import (
    Call,
    Expression,
    Function,
    Index,
    Name,
    Number,
    Return,
    String,
    Table,
    Vararg,
    bare,
)

__all__ = ["CommandCall", "path_of"]

CALLS = {
    "redis.call": False,
    "redis.pcall": True,
    "server.call": False,
    "server.pcall": True,
}
"""What calls a command, and whether it catches the error."""


class CommandCall:
    """One place that calls a command.

    Attributes:
        node: The call.
        is_protected: Whether it is ``redis.pcall``.
        name: The command in upper case, ``XGROUP CREATE`` for one with a subcommand;
            None where it is not a literal.
        arguments: What follows the command's name; a subcommand is the first of them.
        is_open: Whether the last argument may stand for any number of them.
        row: What the command table says; None if the command is unknown to all of it.
        is_wrapped: Whether an own function passes the command on.
    """

    __slots__ = (
        "_keys",
        "_upper",
        "_words",
        "arguments",
        "first",
        "is_open",
        "is_protected",
        "is_wrapped",
        "name",
        "node",
        "row",
    )

    def __init__(self, node: Call, *, is_protected: bool, is_wrapped: bool = False) -> None:
        self.node = node
        self.is_protected = is_protected
        self.is_wrapped = is_wrapped
        self.first: Expression | None = node.arguments[0] if node.arguments else None
        first = bare(self.first)
        self.name: str | None = None
        if isinstance(first, String):
            self.name = first.text.decode("utf-8", "replace").upper()
        self.arguments = node.arguments[1:]
        last = node.arguments[-1] if node.arguments else None
        self.is_open = isinstance(last, Vararg) or (isinstance(last, Call) and not is_single(last))
        self.row: Command | None = None
        self._words: list[bytes | None] | None = None
        self._upper: frozenset[bytes] | None = None
        self._keys: list[Expression] | None = None

    @property
    def start(self) -> int:
        """Offset of its first byte."""
        return self.node.start

    @property
    def end(self) -> int:
        """Offset behind its last byte."""
        return self.node.end

    def words(self) -> list[bytes | None]:
        """The arguments as they are written, None for what is not a literal."""
        if self._words is None:
            self._words = [word_of(argument) for argument in self.arguments]
        return self._words

    def has_word(self, *words: str) -> bool:
        """Whether one of these options stands among its arguments."""
        if self._upper is None:
            self._upper = frozenset(word.upper() for word in self.words() if word is not None)
        return not self._upper.isdisjoint(map(str.encode, words))

    def key_positions(self) -> list[int] | None:
        """Indexes of its keys in ``arguments``; None where they are not known."""
        if self.row is None:
            return None
        return self.row.key_positions(self.words(), is_open=self.is_open)

    def key_arguments(self) -> list[Expression]:
        """Its key arguments that are known."""
        if self._keys is None:
            self._keys = []
            if self.row is not None:
                found = self.row.find_keys(self.words(), is_open=self.is_open)
                self._keys = [self.arguments[index] for index in found.positions]
        return self._keys


def word_of(expression: Expression) -> bytes | None:
    """The bytes of a literal argument, or None."""
    inner = bare(expression)
    if type(inner) is String:
        return inner.text
    if type(inner) is Number:
        return b"%.14g" % inner.number
    return None


SINGLE = frozenset(
    [
        "tonumber",
        "tostring",
        "type",
        "redis.sha1hex",
        "redis.call",
        "redis.pcall",
        "redis.error_reply",
        "redis.status_reply",
        "cjson.encode",
        "cjson.decode",
        "cmsgpack.pack",
        "table.concat",
        "next",
        "select",
        "string.format",
        "string.sub",
        "string.lower",
        "string.upper",
        "string.rep",
        "string.len",
        "string.reverse",
        "math.floor",
        "math.ceil",
        "math.min",
        "math.max",
        "math.abs",
        "math.random",
        "math.fmod",
        "math.pow",
        "math.sqrt",
        "math.log",
        "math.log10",
        "math.exp",
        "bit.bnot",
        "bit.bswap",
        "bit.arshift",
        "bit.rol",
        "bit.ror",
        "bit.tobit",
        "bit.band",
        "bit.bor",
        "bit.bxor",
        "bit.lshift",
        "bit.rshift",
        "bit.tohex",
        "server.call",
        "server.pcall",
        "rawget",
        "rawequal",
        "struct.pack",
    ]
) - {"select", "next"}
"""Functions that give exactly one value."""


def is_single(call: Call) -> bool:
    """Whether a call gives exactly one value."""
    if call.method is not None:
        return call.method in ("format", "sub", "lower", "upper", "rep", "len", "reverse")
    path = call.path or path_of(call.callee)
    if path in SINGLE:
        return True
    function = function_of(call)
    return (
        function is not None
        and bool(function.returns)
        and all(
            len(one.values) == 1
            and not isinstance(one.values[0], Vararg)
            and not (
                isinstance(one.values[0], Call) and path_of(one.values[0].callee) not in SINGLE
            )
            for one in function.returns
        )
    )


def function_of(call: Call) -> Function | None:
    """The local function that is called, where there is only one that it can be."""
    callee = bare(call.callee)
    if isinstance(callee, Function):
        return callee
    if isinstance(callee, Name) and callee.variable is not None:
        value = bare(callee.variable.only_value())
        if isinstance(value, Function):
            return value
        if isinstance(value, Name):
            return function_of(Call(0, 0, value, [], None))
    return None


def passed_by(call: Call, read: Name) -> list[Expression] | None:
    """What a call passes to the function that a name means; None if it calls another.

    ``pcall(f, a)`` passes what ``f(a)`` does.
    """
    if call.callee is read and call.method is None:
        return call.arguments
    if call.arguments[:1] == [read] and path_of(call.callee) == "pcall":
        return call.arguments[1:]
    return None


def path_of(expression: Expression | None, depth: int = 0) -> str | None:
    """``redis.call`` for an expression that means it, through any aliases; None for others."""
    node = bare(expression)
    if depth > 8:
        return None
    if type(node) is Name:
        if node.variable is None:
            return node.id
        value = node.variable.only_value()
        return None if value is None else path_of(value, depth + 1)
    if type(node) is Index and type(node.key) is String:
        field = node.key.text.decode("utf-8", "replace")
        base = path_of(node.base, depth + 1)
        if base is not None:
            return f"{base}.{field}"
        return _field(node, field, depth)
    return None


def _field(node: Index, field: str, depth: int) -> str | None:
    """An alias kept in a table: ``local R = {call = redis.call}``."""
    base = bare(node.base)
    if not isinstance(base, Name) or base.variable is None or base.variable.stores:
        return None
    table = bare(base.variable.only_value())
    if isinstance(table, Table):
        for item in table.items:
            if isinstance(item.key, String) and item.key.text == field.encode():
                return path_of(item.value, depth + 1)
    return None


def command_call(call: Call) -> CommandCall | None:
    """The command that a call calls, or None if it calls something else."""
    if call.method is not None:
        return None
    path = call.path
    if path is not None:
        protected = CALLS.get(path)
        return None if protected is None else CommandCall(call, is_protected=protected)
    function = function_of(call)
    if function is None or not function.is_vararg or function.parameters:
        return None
    protected = _passed_on(function)
    return None if protected is None else CommandCall(call, is_protected=protected, is_wrapped=True)


def caught_command(call: Call) -> CommandCall | None:
    """The command of ``pcall(redis.call, 'GET', key)``, whose reply is the second value."""
    if call.path != "pcall" or not call.arguments:
        return None
    function, *arguments = call.arguments
    protected = CALLS.get(path_of(function) or "")
    if protected is None:
        return None
    inner = Call(call.start, call.end, function, arguments, None)
    return CommandCall(inner, is_protected=protected)


def _passed_on(function: Function) -> bool | None:
    """Whether ``function(...) return redis.call(...) end`` catches errors; None for any other."""
    statements = function.body.statements
    if len(statements) != 1 or not isinstance(statements[0], Return):
        return None
    values = statements[0].values
    inner = values[0] if len(values) == 1 else None
    if isinstance(inner, Call) and len(inner.arguments) == 1:
        path = path_of(inner.callee)
        if isinstance(inner.arguments[0], Vararg) and path is not None:
            return CALLS.get(path)
    return None
