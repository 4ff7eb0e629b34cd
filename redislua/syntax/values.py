"""What can be known of a value without running the script."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import Flag, auto
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from redislua.syntax.sites import CommandCall

__all__ = ["ANYTHING", "NOTHING", "Kind", "Origin", "Value", "joined", "origins", "symbol_of"]


F = TypeVar("F", bound=Flag)


def _looked_up(kind: type[F]) -> type[F]:
    """Let the operators of a small flag look up what they give.

    The library's own build it anew, in three times the time: most rules ask with them.
    """
    every = tuple(map(kind, range(2 * max(one.value for one in kind))))
    whole = len(every) - 1
    operators: dict[str, Callable[..., F]] = {
        "__or__": lambda one, other: every[one._value_ | other._value_],
        "__and__": lambda one, other: every[one._value_ & other._value_],
        "__invert__": lambda one: every[whole & ~one._value_],
    }
    for name, operator in operators.items():
        setattr(kind, name, operator)
    return kind


@_looked_up
class Origin(Flag):
    """Where a value came from; several where paths meet."""

    NONE = 0
    KEYS = auto()
    """An element of KEYS, unchanged."""
    DERIVED = auto()
    """Made from an element of KEYS and more."""
    ARGV = auto()
    """An argument, or made from one."""
    STORED = auto()
    """A reply of the server, or made from one."""
    LITERAL = auto()
    """Written in the script, or counted by it."""
    TIME = auto()
    """The server's clock."""
    UNKNOWN = auto()


@_looked_up
class Kind(Flag):
    """Lua types, with nil, false and true apart: several where paths meet."""

    NONE = 0
    NIL = auto()
    FALSE = auto()
    TRUE = auto()
    STRING = auto()
    NUMBER = auto()
    TABLE = auto()
    FUNCTION = auto()
    BOOLEAN = FALSE | TRUE
    FALSY = NIL | FALSE
    TRUTHY = TRUE | STRING | NUMBER | TABLE | FUNCTION
    ANY = NIL | FALSE | TRUE | STRING | NUMBER | TABLE | FUNCTION


T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _constant(kind: type[T]) -> type[T]:
    """A class that a type checker keeps from changes: a frozen one is three times as slow."""
    return dataclass(slots=True)(kind)


@_constant
class Value:
    """What is known of a value. Never changed once it is made.

    Attributes:
        origin: Where it came from.
        kind: The types that it can have.
        constant: What it is, where that is one string or number; else None.
        symbol: Equal for two expressions that are equal in every run; None if unknown.
        element: Of a table: what ``t[n]`` gives.
        reply: The command whose reply it is, unchanged; None for any other value.
        is_whole: Of a number: whether it has no fraction in every run, as far as seen.
        size: Of a number: its usual greatness, where the clock or a constant tells it.
        can_fail: A command's error may be here, caught by ``redis.pcall``.
    """

    origin: Origin
    kind: Kind
    constant: bytes | float | None = None
    symbol: Hashable = None
    element: Value | None = None
    reply: CommandCall | None = None
    is_whole: bool = True
    size: float | None = None
    can_fail: bool = False

    @property
    def is_known(self) -> bool:
        """Whether nothing about its origin is unknown."""
        return bool(self.origin) and Origin.UNKNOWN not in self.origin

    def comes_from(self, origin: Origin) -> bool:
        """Whether it came from one of these on some path."""
        return bool(self.origin._value_ & origin._value_)

    def can_be(self, kind: Kind) -> bool:
        """Whether it can have one of these types."""
        # The plain numbers: these are asked for more often than anything else.
        return bool(self.kind._value_ & kind._value_)

    def is_only(self, kind: Kind) -> bool:
        """Whether it has one of these types in every run."""
        own = self.kind._value_
        return bool(own) and not own & ~kind._value_

    def without(self, kind: Kind) -> Value:
        """What is left when it is known not to have these types."""
        return self._copied(self.kind & ~kind, self.symbol, self.reply)

    def called(self, symbol: Hashable) -> Value:
        """The same value with another symbol."""
        return self._copied(self.kind, symbol, self.reply)

    def replied_by(self, command: CommandCall) -> Value:
        """The same value as a command's reply."""
        return self._copied(self.kind, self.symbol, command)

    def but(self, **changes: Any) -> Value:
        """A copy with other attributes."""
        copy = self._copied(self.kind, self.symbol, self.reply)
        for name, value in changes.items():
            setattr(copy, name, value)
        return copy

    def _copied(self, kind: Kind, symbol: Hashable, reply: CommandCall | None) -> Value:
        """A copy; `dataclasses.replace` takes five times as long."""
        return Value(
            self.origin,
            kind,
            self.constant,
            symbol,
            self.element,
            reply,
            self.is_whole,
            self.size,
            self.can_fail,
        )


LARGEST = 64
"""Parts of a symbol: beyond that nobody compares two expressions, and doubling would never end."""


def symbol_of(operation: str, *parts: Hashable) -> Hashable:
    """The symbol of what an operation makes of values with these symbols; None if unknown."""
    if None in parts:
        return None
    left = list(parts)
    count = 0
    while left:
        part = left.pop()
        count += 1
        if count > LARGEST:
            return None
        if isinstance(part, tuple):
            left += part
    return (operation, *parts)


NOTHING = Value(Origin.NONE, Kind.NONE)
"""No value at all: what joins with it stays as it is."""

ANYTHING = Value(Origin.UNKNOWN, Kind.ANY, is_whole=False)


def joined(values: Iterable[Value]) -> Value:
    """What is known of a value that is one of these."""
    return reduce(_join, values, NOTHING)


def origins(values: Iterable[Value]) -> Origin:
    """Where any of these values came from."""
    found = Origin.NONE
    for value in values:
        found |= value.origin
    return found


def _join(one: Value, other: Value) -> Value:
    if one is other or not other.kind._value_:
        return one
    if not one.kind._value_:
        return other
    if one.element is None or other.element is None:
        element = one.element or other.element
    else:
        element = _join(one.element, other.element)
    is_same = one.constant is not None and one.constant == other.constant
    return Value(
        one.origin | other.origin,
        one.kind | other.kind,
        one.constant if is_same else None,
        one.symbol if one.symbol == other.symbol else None,
        element,
        one.reply if one.reply is other.reply else None,
        one.is_whole and other.is_whole,
        max(one.size or 0, other.size or 0) or None,
        one.can_fail or other.can_fail,
    )
