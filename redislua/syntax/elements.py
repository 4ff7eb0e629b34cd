"""What is known of the elements of tables."""

from __future__ import annotations

from redislua.syntax.nodes import Expression, Name
from redislua.syntax.values import NOTHING, Kind, Value

__all__ = ["element_of", "is_list", "may_be_equal"]


def may_be_equal(one: Value, other: Value) -> bool:
    """Whether two keys may be the same."""
    if one.constant is not None and other.constant is not None:
        return one.constant == other.constant
    return one.can_be(other.kind)


def is_list(node: Expression, table: Value) -> bool:
    """Whether all that is in a table has a number: in a reply, but for a status, KEYS or ARGV."""
    if isinstance(node, Name) and node.variable is not None and node.variable.stores:
        return False
    is_reply = table.reply is not None and not table.can_fail
    return table.element is not None and (is_reply or table.symbol in ("KEYS", "ARGV"))


def element_of(table: Value) -> Value:
    """What a table gives for a key that is not known."""
    if table.element is not None:
        return table.element
    return Value(table.origin, Kind.ANY, is_whole=False) if table.kind else NOTHING
