"""What a script does with the result of a call."""

from __future__ import annotations

from redislua.syntax.nodes import (
    Assign,
    Call,
    Index,
    Item,
    Local,
    Name,
    Node,
    Parens,
    Return,
    String,
)
from redislua.syntax.sites import CommandCall, path_of
from redislua.syntax.variables import Variable

__all__ = ["holder", "use"]

CHECKS = ("type", "assert", "cjson.encode", "cmsgpack.pack")
FIELDS = (b"err", b"ok")
KNOWN = ("ipairs", "pairs", "tonumber", "tostring", "unpack", "next")
"""Globals that look into what they get, or change it."""


def holder(command: CommandCall) -> Variable | None:
    """The local that gets the result, and nothing but it."""
    statement = command.node.parent
    if isinstance(statement, Local) and command.node in statement.values:
        index = statement.values.index(command.node)
        return statement.variables[index] if index < len(statement.variables) else None
    if isinstance(statement, Assign) and len(statement.targets) == len(statement.values) == 1:
        target = statement.targets[0]
        return target.variable if isinstance(target, Name) else None
    return None


def use(node: Node) -> str:
    """What becomes of a result: ``used``, ``checked``, or ``passed`` on."""
    parent = node.parent
    while isinstance(parent, Parens):
        node, parent = parent, parent.parent
    match parent:
        case Return():
            return "passed"
        case Index() if parent.base is node:
            is_field = isinstance(parent.key, String) and parent.key.text in FIELDS
            return "checked" if is_field else "used"
        case Call() if parent.callee is not node:
            path = path_of(parent.callee)
            if path in CHECKS:
                return "checked"
            known = path is not None and ("." in path or path in KNOWN)
            return "used" if known else "checked"
        case Local() | Assign():
            return "checked"  # another name for it, which is not followed
        case Item():
            return "passed"
    return "used"
