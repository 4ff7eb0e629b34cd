"""Where a script can go two ways, and a copy of it that tells which way it went.

A *branch* is one of the two ways out of

* a condition (``if``, ``elseif``, ``while``, ``until``): it holds, or it does not;
* the left side of ``and`` and ``or``: it is true, or it is false and nil. The one of the
  two that needs no right side is what a line alone cannot show;
* a ``for``: it goes round, or it comes to its end.

So ``if a and b then`` has four: ``a`` both ways, and the condition both ways. What is
written as a constant (``while true``) goes one way and counts for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Break,
    Constant,
    Expression,
    For,
    ForIn,
    Function,
    If,
    Loop,
    Node,
    Number,
    Repeat,
    String,
    Table,
    While,
    bare,
)

__all__ = ["Fork", "forks", "watched"]

_FIXED = (Constant, Number, String, Table, Function)


class Fork(NamedTuple):
    """A place with two ways out.

    Attributes:
        line: Where its condition begins, from 1.
        column: The same, in characters from 1.
        word: ``if``, ``elseif``, ``while``, ``until``, ``for``, ``and`` or ``or``.
        text: What is asked there, as it is written, on one line.
    """

    line: int
    column: int
    word: str
    text: str

    def way(self, taken: bool) -> str:
        """What one way out is called: ``true`` or ``false``, ``round`` or ``end`` of a for."""
        if self.word == "for":
            return "round" if taken else "end"
        return "true" if taken else "false"


def forks(chunk: Chunk) -> list[Fork]:
    """All forks of a script, in source order."""
    return [
        Fork(*chunk.position(place.node.start), place.word, _text(chunk, place.node))
        for place in _places(chunk)
    ]


def watched(chunk: Chunk) -> bytes:
    """The script with a call at each fork, which is told its number in `forks` and the way.

    Lines stay where they are, and what is run, returned and raised is what it was.
    """
    pieces: list[tuple[int, int, bytes]] = []
    loops: dict[Node, int] = {}
    for number, place in enumerate(_places(chunk)):
        node = place.node
        if isinstance(node, For | ForIn):
            loops[node] = number
            pieces += _around(node, number)
        else:
            # What begins at one byte opens outermost first, and closes innermost first.
            pieces.append((node.start, -node.end, b"__redislua_way(%d,(" % number))
            pieces.append((node.end, -node.start, b"))"))
    for leaving in chunk.of(Break):
        loop = next(node for node in leaving.parents() if isinstance(node, Loop))
        if loop in loops:
            pieces.append((leaving.start, 0, b"__redislua_break(%d) " % loops[loop]))
    return _with(chunk.source, pieces)


class _Place(NamedTuple):
    node: Node
    word: str


def _places(chunk: Chunk) -> list[_Place]:
    found = [place for place in _all(chunk) if not isinstance(bare(place.node), _FIXED)]
    return sorted(found, key=lambda place: (place.node.start, -place.node.end))


def _all(chunk: Chunk) -> Iterator[_Place]:
    for statement in chunk.of(If):
        for index, (condition, _) in enumerate(statement.arms):
            yield _Place(condition, "elseif" if index else "if")
    yield from _conditions((loop.condition for loop in chunk.of(While)), "while")
    yield from _conditions((loop.condition for loop in chunk.of(Repeat)), "until")
    for one in chunk.of(Binary):
        if one.operator in ("and", "or"):
            yield _Place(one.left, one.operator)
    yield from (_Place(loop, "for") for kind in (For, ForIn) for loop in chunk.of(kind))


def _text(chunk: Chunk, node: Node) -> str:
    whole = " ".join(chunk.text(node).split())
    if isinstance(node, For | ForIn):
        return whole.partition(" do ")[0]
    return whole


def _conditions(expressions: Iterable[Expression], word: str) -> Iterator[_Place]:
    return (_Place(expression, word) for expression in expressions)


def _around(loop: For | ForIn, number: int) -> Iterator[tuple[int, int, bytes]]:
    statements = loop.body.statements
    inside = statements[0].start if statements else loop.end - len(b"end")
    yield inside, -loop.end, b" __redislua_round(%d) " % number
    yield loop.end, -loop.start, b" __redislua_left(%d);" % number


def _with(source: bytes, pieces: list[tuple[int, int, bytes]]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for offset, _, text in sorted(pieces, key=lambda piece: piece[:2]):
        parts += (source[at:offset], text)
        at = offset
    return b"".join((*parts, source[at:]))
