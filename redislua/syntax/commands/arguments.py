"""The arguments of a command: names, types, options, and what each word of a call is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from redislua.syntax.commands.keys import Words, upper

__all__ = ["Argument", "Option", "types_of"]


class Argument(NamedTuple):
    """One argument by its place.

    Attributes:
        name: As the server's documentation calls it.
        type: ``key``, ``string``, ``integer``, ``double``, ``pattern``, ``unix-time``, or
            ``token`` for one of a few fixed words.
    """

    name: str
    type: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``seconds:integer``."""
        name, _, kind = text.partition(":")
        return cls(name, kind)


class Option(NamedTuple):
    """A fixed word among the arguments, and what follows it.

    Attributes:
        after: How many arguments by place stand before it.
        since: First version that took it; ``""`` if it is as old as its command.
        values: Types of the words that follow it. One that ends in ``...`` goes on for as
            long as no other option follows.
    """

    after: int
    since: str
    values: tuple[str, ...]

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """Read ``[2, "2.6.12", "integer"]``."""
        after, since, *values = row
        return cls(after, since, tuple(values))


APPROXIMATION = ("=", "~")
"""May stand between ``MAXLEN`` and its number."""


def types_of(
    arguments: Sequence[Argument],
    repeated: tuple[int, int] | None,
    options: Mapping[str, Option],
    words: Words,
    *,
    is_open: bool,
) -> list[str | None]:
    """Return the type of each word of a call; None for what cannot be told.

    Args:
        arguments: The arguments by place.
        repeated: First one and number of those that may come again, as a group.
        options: The fixed words.
        words: The words of the call.
        is_open: Whether the last word may stand for any number of them.
    """
    types: list[str | None] = []
    start, width = repeated or (len(arguments), 0)
    behind = len(arguments) - start - width
    taken = 0
    pending: list[str] = []
    for index, word in enumerate(words):
        if is_open and index == len(words) - 1:
            types.append(None)
            break
        option = options.get(upper(word))
        if pending and upper(word) in APPROXIMATION:
            types.append("token")
        elif option is not None and (
            option.after == _place(taken, start, width)
            if not pending
            else pending[0].endswith("...")
        ):
            types.append("token")
            pending = _following(option, len(words) - index - 1)
        elif pending:
            types.append(pending[0].removesuffix("..."))
            if not pending[0].endswith("..."):
                pending.pop(0)
        elif behind and not is_open and len(words) - index <= behind and taken >= start + width:
            types.append(arguments[index - len(words)].type)
        elif taken < start + width or width:
            at = taken if taken < start else start + (taken - start) % width
            types.append(arguments[at].type)
            taken += 1
        else:
            types.append(None)
    return types


def _following(option: Option, count: int) -> list[str]:
    """The types of the ``count`` words behind an option's own."""
    if len(option.values) == 2 and all(value.endswith("...") for value in option.values):
        # STREAMS: as many identifiers as keys.
        return [value.removesuffix("...") for value in option.values for _ in range(count // 2)]
    return list(option.values)


def _place(taken: int, start: int, width: int) -> int:
    """How many arguments by place are complete; -1 within a group that repeats."""
    if taken <= start or not width:
        return taken
    return start + width if (taken - start) % width == 0 else -1
