"""Functions that a library registers: the server passes them KEYS and ARGV as tables."""

from __future__ import annotations

from collections.abc import Iterable

from redislua.syntax.nodes import Call, Expression, Function, Name, String, Table, bare
from redislua.syntax.sites import path_of

__all__ = ["REGISTER", "registered"]

REGISTER = ("redis.register_function", "server.register_function")
CALLBACK = b"callback"


def registered(calls: Iterable[Call]) -> set[Function]:
    """The functions among what is given to ``redis.register_function``, in either form."""
    found: set[Function] = set()
    for call in calls:
        if call.method is None and path_of(call.callee) in REGISTER:
            function = _function(_callback(call.arguments))
            if function is not None:
                found.add(function)
    return found


def _callback(arguments: list[Expression]) -> Expression | None:
    if len(arguments) > 1:
        return arguments[1]
    table = bare(arguments[0]) if arguments else None
    if isinstance(table, Table):
        for item in table.items:
            key = bare(item.key) if item.key is not None else None
            if isinstance(key, String) and key.text == CALLBACK:
                return item.value
    return None


def _function(expression: Expression | None) -> Function | None:
    node = bare(expression)
    if isinstance(node, Name) and node.variable is not None:
        node = bare(node.variable.only_value())
    return node if isinstance(node, Function) else None
