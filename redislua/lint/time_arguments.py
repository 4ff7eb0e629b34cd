"""Where commands take times: spans or moments, in seconds or in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall

__all__ = ["REPLIES", "TAKING", "Time", "times"]


class Time(NamedTuple):
    """What a time is.

    Attributes:
        is_moment: Whether it counts from 1970, and not from now.
        unit: ``seconds`` or ``milliseconds``.
    """

    is_moment: bool
    unit: str

    def __str__(self) -> str:
        return f"{'the moment' if self.is_moment else 'a span'} in {self.unit}"


_SPAN, _SPAN_MS = Time(False, "seconds"), Time(False, "milliseconds")
_MOMENT, _MOMENT_MS = Time(True, "seconds"), Time(True, "milliseconds")

REPLIES = {
    "TTL": _SPAN,
    "PTTL": _SPAN_MS,
    "EXPIRETIME": _MOMENT,
    "PEXPIRETIME": _MOMENT_MS,
}
"""What commands say of an expiry."""

_SECOND = {
    **dict.fromkeys(("EXPIRE", "HEXPIRE", "SETEX"), _SPAN),
    **dict.fromkeys(("PEXPIRE", "HPEXPIRE", "PSETEX"), _SPAN_MS),
    **dict.fromkeys(("EXPIREAT", "HEXPIREAT"), _MOMENT),
    **dict.fromkeys(("PEXPIREAT", "HPEXPIREAT"), _MOMENT_MS),
}
"""Commands whose second argument is a time."""

_OPTIONS = {b"EX": _SPAN, b"PX": _SPAN_MS, b"EXAT": _MOMENT, b"PXAT": _MOMENT_MS}
_BEFORE = {"SET": 2, "GETEX": 1}
"""Commands that have these options, and how many arguments stand before them."""

TAKING = frozenset((*_SECOND, *_BEFORE))


def times(command: CommandCall) -> Iterator[tuple[Expression, Time]]:
    """The arguments of a command that are times."""
    name = command.name or ""
    if name in _SECOND and len(command.arguments) > 1:
        yield command.arguments[1], _SECOND[name]
    elif name in _BEFORE:
        words = command.words()
        for at in range(_BEFORE[name], len(words) - 1):
            word = words[at]
            if word is not None and word.upper() in _OPTIONS:
                yield command.arguments[at + 1], _OPTIONS[word.upper()]
