"""Loops that nothing ends once they have begun."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

from redislua.lint.leaving import is_broken
from redislua.lint.rounds import commands_in
from redislua.syntax.chunk import Chunk
from redislua.syntax.loops import LOOKING
from redislua.syntax.nodes import (
    Assign,
    Binary,
    Call,
    Constant,
    Expression,
    Index,
    Name,
    Number,
    Repeat,
    String,
    Unary,
    While,
    bare,
)
from redislua.syntax.reaching import MANY, function_around
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind
from redislua.syntax.variables import Variable

__all__ = ["is_endless"]

PURE = (
    "math.abs",
    "math.ceil",
    "math.floor",
    "math.max",
    "math.min",
    "string.len",
    "string.sub",
    "tonumber",
    "tostring",
    "type",
)
"""Functions that give the same for the same."""


READING = frozenset(
    {
        *("EXISTS", "GET", "GETBIT", "HEXISTS", "HGET", "HLEN", "HSTRLEN", "LINDEX", "LLEN"),
        *("PTTL", "SCARD", "SISMEMBER", "STRLEN", "TTL", "TYPE", "XLEN", "ZCARD", "ZCOUNT"),
        *("ZRANK", "ZREVRANK", "ZSCORE"),
    }
)
"""Commands that answer the same as long as nobody writes: and nobody does while a script runs."""


_KNOWN: WeakKeyDictionary[Chunk, dict[object, bool]] = WeakKeyDictionary()
"""Of a loop whether it is endless, which two rules ask; of KEYS and ARGV whether they stay."""


def is_endless(chunk: Chunk, loop: While | Repeat) -> bool:
    """Whether a loop, once its condition lets it go on, goes on for ever.

    That is so where nothing leaves its body, and the body changes nothing that the condition
    is made of. Where the text does not tell, it is not.
    """
    known = _KNOWN.setdefault(chunk, {})
    if loop not in known:
        known[loop] = _is_endless(chunk, loop)
    return known[loop]


def _is_endless(chunk: Chunk, loop: While | Repeat) -> bool:
    if any(loop.start <= one.start < loop.end for one in chunk.returns):
        return False
    # An error ends a loop, wherever it comes from.
    if any(True for _ in chunk.calls_to("error", "assert")) or is_broken(loop.body):
        return False
    if chunk.bound(loop).by == "nothing":
        return True
    return chunk.bound(loop).by == "condition" and _Rounds(chunk, loop).are_alike()


class _Rounds:
    """What is the same in each round of a loop."""

    def __init__(self, chunk: Chunk, loop: While | Repeat) -> None:
        self._chunk = chunk
        self._loop = loop
        self._given: dict[Variable, bool] = {}

    def are_alike(self) -> bool:
        """Whether the condition has one value from the first round on."""
        return self._is_fixed(self._loop.condition)

    def _is_fixed(self, expression: Expression) -> bool:
        match node := bare(expression):
            case Constant() | Number() | String():
                return True
            case Unary():
                return self._is_fixed(node.operand)
            case Binary():
                return self._is_fixed(node.left) and self._is_fixed(node.right)
            case Index():
                base = node.base
                is_kept = isinstance(base, Name) and self._is_kept(base)
                return is_kept and self._is_fixed(node.key)
            case Call():
                return self._is_same(node)
            case Name():
                return self._is_kept(node)
        return False

    def _is_same(self, call: Call) -> bool:
        """Whether a call gives the same in each round."""
        command = self._chunk.command_of(call)
        if command is None:
            is_pure = call.path in PURE and call.method is None
            return is_pure and all(map(self._is_fixed, call.arguments))
        if command.name not in READING and not _is_refused_again(command):
            return False
        # A `SET` with `NX` that ends the loop may be the one write in it.
        is_quiet = self._writing <= {command}
        return is_quiet and all(map(self._is_fixed, command.arguments))

    @cached_property
    def _writing(self) -> set[CommandCall]:
        """The loop's commands that may change the data."""
        inside = commands_in(self._chunk, self._loop)
        return {one for one in inside if one.row is None or one.row.is_write}

    def _is_kept(self, name: Name) -> bool:
        """Whether nothing in the loop gives a variable, or what it holds, another value."""
        chunk, loop, variable = self._chunk, self._loop, name.variable
        if variable is None:
            is_passed = chunk.value(name).symbol in ("KEYS", "ARGV")
            return is_passed and _is_only_read(chunk, name.id)
        if len(variable.definitions) > MANY:
            return False
        here = function_around(loop)
        if any(function_around(one.node) is not here for one in variable.definitions):
            return False  # a closure may run at any time
        if any(loop.start <= one.node.start < loop.end for one in variable.definitions):
            return self._is_given_the_same(variable)
        return not chunk.value(name).can_be(Kind.TABLE) or (
            not any(loop.start <= target.start < loop.end for target, _ in variable.stores)
            and all(_is_looked_at(chunk, one) for one in variable.reads)
        )

    def _is_given_the_same(self, variable: Variable) -> bool:
        """Whether each round gives a variable the value that it was given before."""
        if variable in self._given:
            return self._given[variable]
        self._given[variable] = False  # where its value is made of itself: it is counted
        given = [one.value for one in variable.definitions if one.index == 0]
        values = [one for one in given if one is not None]
        loop = self._loop
        inside = [one.node for one in variable.definitions if loop.start <= one.node.start]
        if any(one.parent is not loop.body for one in inside if one.start < loop.end):
            return False  # in some rounds it is, and in others not
        if len(values) < len(variable.definitions):
            # Declared before the loop, and given its value in it.
            first = variable.definitions[0]
            if len(values) + 1 < len(variable.definitions) or first.value is not None:
                return False
        texts = {self._chunk.text(one) for one in values}
        self._given[variable] = len(texts) == 1 and self._is_fixed(values[0])
        return self._given[variable]


def _is_refused_again(command: CommandCall) -> bool:
    """Whether a command writes only if it succeeds, and nothing lets it succeed later."""
    return command.name == "SETNX" or (command.name == "SET" and command.has_word("NX"))


def _is_only_read(chunk: Chunk, name: str) -> bool:
    """Whether nothing in a script changes KEYS, or ARGV."""
    known = _KNOWN.setdefault(chunk, {})
    if name not in known:
        same = [one for one in chunk.globals if one.id == name]
        known[name] = all(_is_looked_at(chunk, one) for one in same)
    return known[name]


def _is_looked_at(chunk: Chunk, name: Name) -> bool:
    """Whether a read of a table changes nothing in it, and lets nobody else do so."""
    outer = name.parent
    match outer:
        case Index():
            around = outer.parent
            is_target = isinstance(around, Assign) and outer in around.targets
            return outer.base is not name or not is_target
        case Unary() | Binary(operator="==" | "~="):
            return True
        case Call():
            is_given = any(one is name for one in outer.arguments)
            return is_given and (
                outer.path in LOOKING or outer.path in PURE or chunk.command_of(outer) is not None
            )
    return False
