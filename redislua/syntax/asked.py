"""What a script asks of a value before it uses it, and where that is in vain."""

from __future__ import annotations

from functools import cached_property

from redislua.syntax.build import Builder
from redislua.syntax.guards import BRANCHING, asked_for_its_own, is_asked
from redislua.syntax.nodes import (
    Binary,
    Call,
    Constant,
    Expression,
    Index,
    Name,
    Number,
    Parens,
    Return,
    bare,
)
from redislua.syntax.reaching import MANY, reaching
from redislua.syntax.sites import CommandCall

__all__ = ["Asked"]

_READ = (Name, Index)
_LISTING = {"GEOHASH": 1, "GEOPOS": 1, "HMGET": 1, "MGET": 0, "ZMSCORE": 1}
"""Commands that reply with an element for each argument behind so many."""


class Asked:
    """The questions of one file."""

    def __init__(
        self,
        source: bytes,
        built: Builder,
        commands: dict[Call, CommandCall],
        *,
        has_setresp: bool,
    ) -> None:
        """Know the file.

        Args:
            source: Its text.
            built: Its tree.
            commands: The commands that it calls, by the call.
            has_setresp: Whether it asks for other replies, in which nil is nil.
        """
        self._source = source
        self._built = built
        self._commands = commands
        self._has_setresp = has_setresp

    def before(self, expression: Expression, offset: int) -> bool:
        """Whether the script asks what an expression is in front of an offset."""
        node = bare(expression)
        return self._holds(node, self._tested.get(self._source[node.start : node.end]), offset)

    def is_read_after(self, expression: Expression) -> bool:
        """Whether it is a variable or an element that the script asked for before."""
        if type(expression) not in _READ:
            return False
        start = expression.start
        return self._holds(
            expression, self._tested.get(self._source[start : expression.end]), start
        )

    def _holds(self, node: Expression, tests: list[Expression] | None, offset: int) -> bool:
        """Whether one of some tests in front of an offset tells what an expression is there."""
        first = tests[0].start if tests else offset
        return (
            first < offset
            and not _is_given_anew(node, first, offset)
            and not self._are_over(node, tests or [], offset)
        )

    def _are_over(self, node: Expression, tests: list[Expression], offset: int) -> bool:
        """Whether a local was only asked for what is done if it is there, and that is over."""
        if type(node) is not Name or len(tests) > MANY:
            return False
        around = set(map(id, node.parents()))
        last = 0
        for test in tests:
            if test.start >= offset:
                break
            statement = asked_for_its_own(test)
            if statement is None or statement.end > node.start or statement.end > offset:
                return False
            # Where the read is on a branch, or behind one that leaves, that may tell of it.
            if id(statement.parent) not in around:
                return False
            last = statement.end
            for outer in node.parents():
                if outer is statement.parent:
                    break
                if type(outer) in BRANCHING:
                    return False
        return not any(
            last <= one.start and one.end <= node.start for one in self._built.of(Return)
        )

    @cached_property
    def _tested(self) -> dict[bytes, list[Expression]]:
        """Where each expression that the script asks for is asked for, by its text."""
        found: dict[bytes, list[Expression]] = {}
        for kind in (Name, Index, Call):
            for node in self._built.of(kind):
                if is_asked(node) and not self.is_vain(node):
                    found.setdefault(self._source[node.start : node.end], []).append(node)
        return found

    def is_vain(self, node: Expression) -> bool:
        """Whether a reply, or an element, is asked ``== nil``: in vain, for it is never nil."""
        outer = node.parent
        while isinstance(outer, Parens):
            outer = outer.parent
        if not isinstance(outer, Binary) or outer.operator != "==":
            return False
        sides = [bare(outer.left), bare(outer.right)]
        if not any(isinstance(side, Constant) and side.word == "nil" for side in sides):
            return False
        if isinstance(node, Name):
            given = [(one.value, one.index) for one in reaching(node)]
        else:
            given = [(node, 0)]
        return (
            bool(given)
            and not self._has_setresp
            and all(self._is_never_nil(one, index) for one, index in given)
        )

    def _is_never_nil(self, expression: Expression | None, index: int) -> bool:
        """Whether one of the values that an expression gives is a reply, or an element of one."""
        node = bare(expression)
        if isinstance(node, Index):
            number = bare(node.key)
            return isinstance(number, Number) and self._has_element(node.base, number.number)
        if not isinstance(node, Call):
            return False
        if node.path in ("unpack", "table.unpack") and len(node.arguments) == 1:
            return self._has_element(node.arguments[0], index + 1)
        return index == 0 and node in self._commands

    def _has_element(self, expression: Expression, number: float) -> bool:
        """Whether a list has so many elements in every run: one for each that was asked for."""
        node = bare(expression)
        if isinstance(node, Name) and node.variable is not None and not node.variable.stores:
            node = bare(node.variable.only_value())
        command = self._commands.get(node)
        if command is None or command.is_open or command.is_protected:
            return False
        before = _LISTING.get(command.name or "")
        return before is not None and 1 <= number <= len(command.arguments) - before


def _is_given_anew(node: Expression, first: int, offset: int) -> bool:
    """Whether a local has another value since the script asked for it: ``if not x then x = …``."""
    if type(node) is not Name or node.variable is None:
        return False
    if not 1 < len(node.variable.definitions) <= MANY:
        return False
    given = min(definition.node.start for definition in reaching(node))
    return given > first and not any(
        given < read.start < offset and is_asked(read) for read in node.variable.reads
    )
