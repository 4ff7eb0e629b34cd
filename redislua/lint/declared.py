"""What a header declares, as the script's text should show it: KEYS, ARGV and their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from redislua.spec.model import Arg, Script
from redislua.spec.notation import Position
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, Index

__all__ = ["Declared", "Place", "declared", "header_span", "local_name", "places", "wholes"]


def local_name(arg: Arg) -> str:
    """The local that holds an argument: its name, with the unit of a duration."""
    return f"{arg.name}_{arg.type.kind}" if arg.type.is_duration else arg.name


@dataclass(frozen=True, slots=True)
class Declared:
    """The fixed places of KEYS or ARGV, in order.

    Attributes:
        table: ``KEYS`` or ``ARGV``.
        names: The local of each place.
        positions: Where the header declares each.
        is_open: Whether more places follow: a variadic key, or groups.
    """

    table: str
    names: tuple[str, ...]
    positions: tuple[Position, ...]
    is_open: bool


def _declared(script: Script) -> Mapping[str, Declared]:
    keys = [key for key in script.keys if not key.variadic]
    arguments = [(local_name(arg), arg.position) for arg in script.args]
    arguments += [(channel.name, channel.position) for channel in script.channels]
    return {
        "KEYS": Declared(
            "KEYS",
            tuple(key.name for key in keys),
            tuple(key.position for key in keys),
            len(keys) < len(script.keys),
        ),
        "ARGV": Declared(
            "ARGV",
            tuple(name for name, _ in arguments),
            tuple(position for _, position in arguments),
            bool(script.groups),
        ),
    }


def declared(chunk: Chunk) -> Mapping[str, Declared]:
    """The fixed places by table; none for a chunk without a header."""
    known = _DECLARED.get(chunk)
    if known is None:
        known = _declared(chunk.script) if chunk.script is not None else {}
        _DECLARED[chunk] = known
    return known


_DECLARED: WeakKeyDictionary[Chunk, Mapping[str, Declared]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a script reads an element of KEYS or ARGV.

    Attributes:
        node: The expression.
        table: ``KEYS`` or ``ARGV``.
        number: Which element, from 1; None where that is not known.
    """

    node: Index
    table: str
    number: int | None


def places(chunk: Chunk) -> Sequence[Place]:
    """Every element of KEYS and ARGV that the script names, in its order."""
    known = _PLACES.get(chunk)
    if known is None:
        known = _PLACES[chunk] = tuple(_found(chunk))
    return known


_PLACES: WeakKeyDictionary[Chunk, tuple[Place, ...]] = WeakKeyDictionary()


def _found(chunk: Chunk) -> Iterator[Place]:
    for node in chunk.of(Index):
        table = chunk.means(node.base)
        if table in ("KEYS", "ARGV"):
            constant = chunk.value(node.key).constant
            is_whole = isinstance(constant, float) and constant.is_integer()
            yield Place(node, str(table), int(constant or 0) if is_whole else None)


def wholes(chunk: Chunk) -> Iterator[Expression]:
    """Every use of KEYS or ARGV as a whole: ``#ARGV``, ``unpack(KEYS)``."""
    for name in chunk.globals:
        if name.id in ("KEYS", "ARGV") and not (
            isinstance(name.parent, Index) and name.parent.base is name
        ):
            yield name


def header_span(chunk: Chunk, position: Position) -> tuple[int, int]:
    """The bytes of a place that the header's model names."""
    start = 0
    for _ in range(position.line - 1):
        start = chunk.source.find(b"\n", start) + 1
    line = chunk.source[start:].split(b"\n", 1)[0].decode("utf-8", "replace")
    before = len(line[: position.column - 1].encode())
    width = len(line[position.column - 1 : position.column - 1 + position.width].encode())
    return start + before, start + before + width
