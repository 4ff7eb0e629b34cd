"""Which arguments of a call are keys.

A server describes the keys of a command by key specifications: where the search begins
(at an index, or after a keyword) and how keys are found from there (a range, or a number
of keys that an argument gives). The arithmetic here is that of ``COMMAND GETKEYS``.

Indexes count arguments after the command's name, from 0. A subcommand is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

__all__ = ["KeySpec", "Keys", "Word", "Words", "find_keys"]

Word: TypeAlias = bytes | str | int | None
"""An argument of a call as it is written; None for what is not a literal."""

Words: TypeAlias = Sequence[Word]
"""Arguments of a call."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The arguments of one call that are keys.

    Attributes:
        positions: Their indexes, ascending.
        is_complete: Whether these are all of them, and all of them are keys for certain.
    """

    positions: tuple[int, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class KeySpec:
    """Where some keys of a command are, as the server describes it.

    Attributes:
        begin: ``("index", 1)``, ``("keyword", "STREAMS", 1)`` or ``("unknown",)``; indexes
            count the command's name as 0, and from the end where they are negative.
        find: ``("range", last, step, limit)``, ``("keynum", index, first, step)`` or
            ``("unknown",)``.
        flags: ``RO``, ``RW``, ``OW`` or ``RM``, and ``access``, ``update``, ``insert``,
            ``delete``, ``not_key``, ``incomplete``, ``variable_flags``.
    """

    begin: tuple[str | int, ...]
    find: tuple[str | int, ...]
    flags: frozenset[str]

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """Read ``[["index", 1], ["range", 0, 1, 0], "RW access"]``."""
        begin, find, flags = row
        return cls(tuple(begin), tuple(find), frozenset(flags.split()))

    @property
    def is_key(self) -> bool:
        """False for what only decides the slot, such as a shard channel."""
        return "not_key" not in self.flags

    def positions(self, words: Words, *, is_open: bool) -> Keys:
        """Return what this specification finds in a call."""
        first = self._first(words)
        if first is None:
            return Keys((), self._is_surely_absent(words, is_open=is_open))
        if self.find[0] == "range":
            return self._range(first, len(words) + 1, is_open=is_open)
        if self.find[0] == "keynum":
            return self._counted(first, words, is_open=is_open)
        return Keys((), is_complete=False)

    def _first(self, words: Words) -> int | None:
        """Where the search begins, counted as the server counts; None if that is not known."""
        match self.begin:
            case ("index", int(index)):
                return index
            case ("keyword", str(keyword), int(start)):
                count = len(words) + 1
                tried = range(start, count) if start > 0 else range(count + start, 0, -1)
                for index in tried:
                    if 0 < index < count and upper(words[index - 1]) == keyword:
                        return index + 1
        return None

    def _is_surely_absent(self, words: Words, *, is_open: bool) -> bool:
        """Whether the keyword is missing for certain.

        An option's name is taken to be a literal wherever it is used, unless nothing else
        would say where the keys of the command are.
        """
        if self.begin[0] != "keyword" or is_open:
            return False
        return "OW" in self.flags or None not in words

    def _range(self, first: int, count: int, *, is_open: bool) -> Keys:
        last, step, limit = (int(number) for number in self.find[1:])
        if last >= 0:
            end = first + last
        elif is_open and (last < -1 or limit > 1):
            # How many of them are keys depends on how many there are.
            return Keys((first - 1,) if first < count - 1 else (), is_complete=False)
        elif limit > 1:
            end = first + (count - first) // limit + last
        else:
            end = count + last
        found = range(first, min(end + 1, count), step)
        return Keys(tuple(index - 1 for index in found), is_complete=True)

    def _counted(self, first: int, words: Words, *, is_open: bool) -> Keys:
        at, offset, step = (int(number) for number in self.find[1:])
        number = whole(words[first + at - 1]) if first + at <= len(words) else None
        last_word = len(words) - 1
        if number is None or (is_open and first + at - 1 == last_word):
            return Keys((), is_complete=False)
        start = first + offset - 1
        found = tuple(range(start, min(start + number * step, len(words)), step))
        # The last word may stand for several keys, or for keys and what follows them.
        return Keys(found, is_complete=not (is_open and start + number * step > last_word + 1))


def find_keys(name: str, specs: Sequence[KeySpec], words: Words, *, is_open: bool = False) -> Keys:
    """Return the keys of a call.

    Args:
        name: The command, in upper case.
        specs: Its key specifications.
        words: Its arguments.
        is_open: Whether the last argument may stand for any number of them.
    """
    if name in ("SORT", "SORT_RO"):
        return _of_sort(words, is_open=is_open)
    if name == "MIGRATE":
        return _of_migrate(words, is_open=is_open)
    positions: set[int] = set()
    is_complete = True
    for spec in specs:
        if spec.is_key:
            found = spec.positions(words, is_open=is_open)
            positions.update(found.positions)
            is_complete = is_complete and found.is_complete
    return Keys(tuple(sorted(positions)), is_complete)


def _of_sort(words: Words, *, is_open: bool) -> Keys:
    """SORT and SORT_RO: a pattern with ``*`` reads keys whose names come from the elements."""
    positions, is_complete = ({0} if words else set()), not is_open
    at = 1
    while at < len(words):
        option = upper(words[at])
        if option == "STORE":
            # The last one counts.
            positions = {0, at + 1} if at + 1 < len(words) else positions
        elif option in ("BY", "GET"):
            pattern = words[at + 1] if at + 1 < len(words) else None
            is_complete = is_complete and pattern is not None and "*" not in upper(pattern)
        at += {"LIMIT": 3, "STORE": 2, "BY": 2, "GET": 2}.get(option, 1)
    return Keys(tuple(sorted(positions)), is_complete)


def _of_migrate(words: Words, *, is_open: bool) -> Keys:
    """MIGRATE: one key, or an empty one and a list of them after KEYS."""
    if len(words) < 3 or words[2] is None or is_open:
        return Keys((), is_complete=False)
    if words[2] not in (b"", ""):
        return Keys((2,), is_complete=True)
    for index in range(5, len(words)):
        if upper(words[index]) == "KEYS":
            return Keys(tuple(range(index + 1, len(words))), is_complete=True)
    return Keys((2,), is_complete=None not in words)


def upper(word: bytes | str | int | None) -> str:
    """The word in upper case, for comparing with an option's name; ``""`` if not a literal."""
    if isinstance(word, bytes):
        return word.decode("latin-1").upper()
    return "" if word is None else str(word).upper()


def whole(word: bytes | str | int | None) -> int | None:
    """The whole number, from 0, that the word is; None for anything else."""
    text = upper(word)
    return int(text) if text.isascii() and text.isdecimal() else None
