"""The grammar of a command's arguments, from one line of text.

The line is that of the documentation, with types::

    key:key value:string [NX|XX] [GET] [EX seconds:integer|PX milliseconds:integer|KEEPTTL]

Words of the documentation are taken in their order; options that stand next to each other
are not: servers take these in any order, and so a grammar holds them as one `Options`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple, TypeAlias

from redislua.syntax.commands import corrections

__all__ = [
    "Choice",
    "Counted",
    "Fixed",
    "Halves",
    "Needed",
    "Node",
    "Option",
    "Options",
    "Perhaps",
    "Place",
    "Repeated",
    "Row",
    "read_syntax",
]


class Fixed(NamedTuple):
    """A fixed word, in upper case."""

    text: str


class Place(NamedTuple):
    """One word of a type."""

    name: str
    type: str


class Row(NamedTuple):
    """One after the other."""

    items: tuple[Node, ...]


class Choice(NamedTuple):
    """One of several."""

    items: tuple[Node, ...]


class Perhaps(NamedTuple):
    """Once or not at all."""

    item: Node


class Needed(NamedTuple):
    """An option that must be there, wherever among others."""

    item: Node


class Repeated(NamedTuple):
    """Once or more often."""

    item: Node


class Counted(NamedTuple):
    """A number, and something as often as that: ``2 a b``."""

    number: Place
    item: Node


class Halves(NamedTuple):
    """Something some times, then something else as often: ``a b 0 0``."""

    first: Node
    second: Node


class Option(NamedTuple):
    """A fixed word that begins an option, and what follows it."""

    word: str
    rest: Row


class Options(NamedTuple):
    """Options in any order.

    Attributes:
        options: All of them.
        needed: Sets of words, one of each of which must be there.
        apart: Pairs of words that are refused together.
    """

    options: tuple[Option, ...]
    needed: tuple[frozenset[str], ...]
    apart: frozenset[frozenset[str]]


Node: TypeAlias = (
    Fixed | Place | Row | Choice | Perhaps | Needed | Repeated | Counted | Halves | Option | Options
)

TOKEN = re.compile(r"\.\.\.|[()\[\]{}|]|(?:(?!\.\.\.)[^\s()\[\]{}|])+")
COUNTS = ("numkeys", "numfields", "num-vertices")


@cache
def read_syntax(name: str, text: str) -> Row:
    """Read the grammar of a command.

    Args:
        name: The command, in upper case: what its documentation has wrong is mended.
        text: The line of its row.
    """
    tokens = TOKEN.findall(corrections.SYNTAX.get(name, text))[::-1]
    row = _row(_parsed(tokens, name), name)
    return row if _says_anything(row) else Row(())


def _says_anything(node: Node) -> bool:
    """Whether anything but the number of words can be wrong."""
    match node:
        case Place(type=kind):
            return kind not in ("key", "string", "pattern")
        case Row(items) | Choice(items):
            return any(map(_says_anything, items))
        case Perhaps(item) | Repeated(item):
            return _says_anything(item)
    return True


def _parsed(tokens: list[str], command: str) -> Node:
    """Take a choice of rows from the end of a reversed list, up to what closes it."""
    choices: list[list[Node]] = [[]]
    while tokens:
        token = tokens.pop()
        if token in (")", "]", "}"):
            break
        if token == "|":  # noqa: S105 - a sign of the grammar
            choices.append([])
        elif token == "...":  # noqa: S105
            choices[-1].append(Repeated(choices[-1].pop()))
        elif token == "(":  # noqa: S105
            choices[-1].append(_parsed(tokens, command))
        elif token == "{":  # noqa: S105
            choices[-1].append(Needed(_parsed(tokens, command)))
        elif token == "[":  # noqa: S105
            choices[-1].append(Perhaps(_parsed(tokens, command)))
        else:
            name, colon, kind = token.partition(":")
            choices[-1].append(
                Place(name, corrections.type_of(command, name, kind))
                if colon
                else Fixed(token.upper())
            )
    rows = [row[0] if len(row) == 1 else Row(tuple(row)) for row in choices]
    return rows[0] if len(rows) == 1 else Choice(tuple(rows))


class _Found(NamedTuple):
    """One option, in its forms."""

    is_needed: bool
    is_repeated: bool
    forms: tuple[Option, ...]

    @property
    def is_sign(self) -> bool:
        """Whether it is the ``=`` or ``~`` before a number."""
        return all(form.word in ("=", "~") for form in self.forms)


# --- options that stand next to each other ---------------------------------------------------


def _row(node: Node, name: str) -> Row:
    """A row in which neighbouring options are put together."""
    parts = list(node.items) if isinstance(node, Row) else [node]
    items: list[Node] = []
    waiting: list[_Found] = []
    for part in parts:
        found = _as_option(part)
        if found is not None:
            waiting.append(found)
            continue
        if waiting:
            items.append(_options(waiting, name))
            waiting = []
        _append(items, _inside(part, name))
    if waiting:
        items.append(_options(waiting, name))
    return Row(tuple(items))


def _append(items: list[Node], node: Node) -> None:
    """Add a node, with the number before it that counts it."""
    before = items[-1] if items else None
    if isinstance(node, Repeated) and isinstance(before, Place) and before.name in COUNTS:
        items[-1] = Counted(before, node.item)
    elif isinstance(node, Repeated) and isinstance(before, Repeated):
        items[-1] = Halves(before.item, node.item)
    else:
        items.append(node)


def _inside(node: Node, name: str) -> Node:
    match node:
        case Row():
            return _row(node, name)
        case Choice(items):
            return Choice(tuple(_inside(one, name) for one in items))
        case Perhaps(item):
            return Perhaps(_inside(item, name))
        case Repeated(item):
            return Repeated(_inside(item, name))
    return node


def _as_option(node: Node) -> _Found | None:
    """The forms of an option; None for any other node.

    None, too, for what has a place of its own: a word that must be there, and is one of a few
    fixed ones, does not move.
    """
    is_needed = not isinstance(node, Perhaps)
    inner = node.item if isinstance(node, Perhaps | Needed) else node
    if inner is node and (
        isinstance(inner, Fixed)
        or (isinstance(inner, Choice) and all(isinstance(one, Fixed) for one in inner.items))
    ):
        return None
    forms = list(_forms(inner))
    known = tuple(form for form in forms if form is not None)
    if len(known) < len(forms):
        return None
    return _Found(is_needed, isinstance(inner, Repeated), known)


def _forms(node: Node) -> Iterator[Option | None]:
    """The options that a node stands for; None where no fixed word begins it."""
    match node:
        case Fixed(text):
            yield Option(text, Row(()))
        case Choice(items):
            for one in items:
                yield from _forms(one)
        case Row(items) if items:
            for form in _forms(items[0]):
                yield form and form._replace(rest=Row((*form.rest.items, *items[1:])))
        case Repeated(item):
            yield from _forms(item)
        case _:
            yield None


def _options(found: Iterable[_Found], name: str) -> Options:
    options: list[Option] = []
    needed: list[frozenset[str]] = []
    apart = {frozenset(pair) for pair in corrections.APART.get(name, ())}
    waiting = list(found)
    for is_needed, is_repeated, forms in waiting:
        for form in forms:
            rest = list(form.rest.items)
            # An option within an option may stand anywhere: the LIMIT of MAXLEN.
            while rest and (inner := _as_option(rest[-1])):
                if inner.is_needed or inner.is_sign:
                    break
                waiting.append(inner)
                rest.pop()
            options.append(Option(form.word, _row(Row(tuple(rest)), name)))
        words = {form.word for form in forms}
        if not is_repeated:
            apart |= {frozenset((one, other)) for one in words for other in words if one != other}
        if is_needed:
            needed.append(frozenset(words))
    apart -= {frozenset(pair) for pair in corrections.TOGETHER.get(name, ())}
    return Options(tuple(dict.fromkeys(options)), tuple(needed), frozenset(apart))
