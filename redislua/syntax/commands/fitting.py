"""Whether the words of a call fit the grammar of its command.

A word that is no literal fits everywhere, so that only what no run can make right is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from redislua.syntax.commands.syntax import (
    Choice,
    Counted,
    Fixed,
    Halves,
    Needed,
    Node,
    Option,
    Options,
    Perhaps,
    Place,
    Repeated,
    Row,
)

__all__ = ["Misfit", "fit", "is_of_type"]

Literals: TypeAlias = tuple[bytes | None, ...]
"""The words of a call after the command's name, as the server gets them; None: no literal."""


class Misfit(NamedTuple):
    """Why a server refuses a call.

    Attributes:
        at: The first word that cannot stand where it does; the number of words, if
            something is missing behind the last.
        words: The fixed words that can stand there.
        places: What else can stand there.
        against: The option that excludes this one; ``""`` if that is not the cause.
        is_missing: Whether the call ends where something is still to come.
    """

    at: int
    words: tuple[str, ...]
    places: tuple[Place, ...]
    against: str = ""
    is_missing: bool = False

    @property
    def is_of_wrong_type(self) -> bool:
        """Whether a word stands where only a number, or the like, can."""
        return bool(self.places) and not self.against and not self.is_missing


def fit(row: Row, words: Literals, *, is_open: bool = False) -> Misfit | None:
    """Return why the words do not fit; None if they do, or if that depends on the run.

    Args:
        row: The command's grammar.
        words: The words of the call.
        is_open: Whether the last word may stand for any number of them.
    """
    return _Fitting(words, is_open).misfit(row)


WHOLE = re.compile(rb"-?(?:0|[1-9][0-9]{0,18})")
NUMBER = re.compile(
    rb"[-+]?(?:inf(?:inity)?|0x[0-9a-f]*\.?[0-9a-f]*(?:p[-+]?[0-9]+)?"
    rb"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)",
    re.IGNORECASE,
)
ENTRY = rb"\s*\+?[0-9]+(?:-\s*\+?[0-9]+)?"


def _is_whole(word: bytes) -> bool:
    return WHOLE.fullmatch(word) is not None and -(2**63) <= int(word) < 2**63


def _pattern(text: bytes) -> Callable[[bytes], object]:
    return re.compile(text, re.DOTALL | re.IGNORECASE).fullmatch


TYPES: dict[str, Callable[[bytes], object]] = {
    "bit": lambda word: word in (b"0", b"1"),
    "bound": lambda word: word in (b"", b"(") or NUMBER.fullmatch(word.removeprefix(b"(").lstrip()),
    "cursor": _pattern(rb"[-+]?[0-9]+"),
    "double": NUMBER.fullmatch,
    "encoding": _pattern(rb"u(?:[1-9]|[1-5][0-9]|6[0-3])|i(?:[1-9]|[1-5][0-9]|6[0-4])"),
    "entry": _pattern(ENTRY),
    "entry-bound": _pattern(rb"[-+]|\(?" + ENTRY),
    "entry-sign": _pattern(rb"[-+$>]|" + ENTRY),
    "integer": _is_whole,
    "lex": _pattern(rb"[-+]|[\[(].*"),
    "new-entry": _pattern(rb"\*|[0-9]+-\*|" + ENTRY),
    "offset": lambda word: _is_whole(word.removeprefix(b"#")),
    "positive": lambda word: _is_whole(word) and int(word) > 0,
    "unix-time": _is_whole,
}
"""What a literal of each type looks like; other types take any word."""


def is_of_type(word: bytes, kind: str) -> bool:
    """Whether a server takes a word where this type belongs."""
    check = TYPES.get(kind)
    return check is None or bool(check(word))


class _Open(Exception):
    """The words that are known fit, and nobody knows what follows."""


class _Fitting:
    """One try, and how far it came."""

    def __init__(self, words: Literals, is_open: bool) -> None:
        self.words = words
        self.upper = [None if word is None else word.upper() for word in words]
        self.known = len(words) - is_open
        self.is_open = is_open
        self.far = -1
        self.expected: dict[Fixed | Place, None] = {}
        self.against: dict[str, str] = {}

    def misfit(self, row: Row) -> Misfit | None:
        try:
            ends = self._ends(row, 0)
        except _Open:
            return None
        if self.known in ends:
            return None
        most = max(ends, default=-1)
        if most > self.far:
            return Misfit(most, (), ())
        word = (self.upper[self.far] or b"").decode("latin-1") if self.far < self.known else ""
        return Misfit(
            self.far,
            tuple(one.text for one in self.expected if isinstance(one, Fixed)),
            tuple(one for one in self.expected if isinstance(one, Place)),
            self.against.get(word, ""),
            self.far >= self.known,
        )

    def _ends(self, node: Node, start: int) -> set[int]:
        """Where the words may go on behind a node that begins at ``start``."""
        match node:
            case Fixed() | Place():
                return {start + 1} if self._takes(node, start) else set()
            case Row(items):
                return self._row(items, start)
            case Choice(items):
                return {end for one in items for end in self._ends(one, start)}
            case Needed(item):
                return self._ends(item, start)
            case Perhaps(item):
                return {start} | self._ends(item, start)
            case Repeated(item):
                return self._repeated(item, start)
            case Counted(number, item):
                return self._counted(number, item, start)
            case Halves(first, second):
                return self._halves(first, second, start)
            case Option(word, rest):
                return self._row((Fixed(word), rest), start)
            case Options():
                return self._options(node, start)

    def _takes(self, node: Fixed | Place, at: int) -> bool:
        if at >= self.known:
            if self.is_open:
                raise _Open
            self._expect(node, at)
            return False
        word = self.words[at]
        if word is None:
            return True
        if isinstance(node, Fixed):
            taken = self.upper[at] == node.text.encode()
        else:
            taken = is_of_type(word, node.type)
        if not taken:
            self._expect(node, at)
        return taken

    def _expect(self, node: Fixed | Place, at: int) -> None:
        if at > self.far:
            self.far = at
            self.expected.clear()
            self.against.clear()
        if at == self.far:
            self.expected[node] = None

    def _row(self, items: Iterable[Node], start: int) -> set[int]:
        ends = {start}
        for item in items:
            ends = {end for one in ends for end in self._ends(item, one)}
        return ends

    def _repeated(self, item: Node, start: int) -> set[int]:
        found: set[int] = set()
        new = {start}
        while new:
            new = {end for one in new for end in self._ends(item, one)} - found
            found |= new
        return found

    def _counted(self, number: Place, item: Node, start: int) -> set[int]:
        if not self._takes(number, start):
            return set()
        word = self.words[start]
        if word is None:
            return self._repeated(item, start + 1)
        # More than there are words fails where they end.
        return self._row([item] * min(int(word), len(self.words) + 1), start + 1)

    def _halves(self, first: Node, second: Node, start: int) -> set[int]:
        found: set[int] = set()
        count = 0
        ends = {start}
        while ends:
            count += 1
            ends = {end for one in ends for end in self._ends(first, one)}
            found |= {end for one in ends for end in self._row([second] * count, one)}
        return found

    def _options(self, node: Options, start: int) -> set[int]:
        found: set[int] = set()
        begun: tuple[int, frozenset[str]] = (start, frozenset())
        seen = {begun}
        left = [begun]
        while left:
            at, chosen = left.pop()
            missing = [one for one in node.needed if "" not in chosen and not one & chosen]
            if missing:
                self._lack(missing, at)
            else:
                found.add(at)
            for option in node.options:
                for end in self._ends(option, at):
                    # "" is a word that is no literal: it may be any option.
                    word = option.word if self.words[at] is not None else ""
                    other = next((o for o in chosen if frozenset((o, word)) in node.apart), None)
                    if other is not None:
                        self._clash(word, other, at)
                    elif (state := (end, chosen | {word})) not in seen:
                        seen.add(state)
                        left.append(state)
        return found

    def _lack(self, missing: Iterable[frozenset[str]], at: int) -> None:
        if at >= self.known and self.is_open:
            raise _Open
        if at >= self.known:
            for one in missing:
                for word in sorted(one):
                    self._expect(Fixed(word), at)

    def _clash(self, word: str, other: str, at: int) -> None:
        self._expect(Fixed(word), at)
        if at == self.far:
            self.against[word] = other
