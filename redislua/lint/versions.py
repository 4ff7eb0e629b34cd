"""From which version on servers have a command or one of its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from redislua.lint.servers import Rows, every_row, lines, named
from redislua.syntax.commands import LINES, table
from redislua.syntax.sites import CommandCall
from redislua.syntax.targets import Targets

__all__ = ["Gap", "gap", "is_everywhere", "option_gaps", "options"]


class Gap(NamedTuple):
    """Something that not all targets have.

    Attributes:
        missing: The targets that lack it, in words.
        dates: The versions that brought it, in words.
    """

    missing: str
    dates: str


@cache
def gap(targets: Targets, name: str) -> Gap | None:
    """Whether some target lacks a command."""
    dates = {line: row.since for line, row in _known(targets, name) if row is not None}
    return _gap(targets, dates)


@cache
def option_gaps(targets: Targets, name: str) -> Mapping[str, Gap]:
    """The options of a command that some target lacks."""
    dates: dict[str, dict[str, str]] = {}
    for line, row in _known(targets, name):
        for word, option in row.options.items() if row is not None else ():
            dates.setdefault(word, {})[line] = option.since
    found = {word: _gap(targets, known) for word, known in dates.items()}
    return {word: one for word, one in found.items() if one is not None}


@cache
def is_everywhere(targets: Targets, name: str) -> bool:
    """Whether every target has a command, and all of its options."""
    return gap(targets, name) is None and not option_gaps(targets, name)


def options(command: CommandCall) -> Iterator[tuple[int, str]]:
    """The literal words of a call that some line takes as options, by their place."""
    words = command.words()
    found: dict[int, str] = {}
    for _, row in every_row(command.name or ""):
        if row is None or not row.options:
            continue
        kinds = row.argument_types(words, is_open=command.is_open)
        for index, (word, kind) in enumerate(zip(words, kinds, strict=True)):
            if word is not None and kind == "token":
                text = word.upper().decode("latin-1")
                if text in row.options:
                    found[index] = text
    yield from found.items()


def _known(targets: Targets, name: str) -> Rows:
    """What every line says of a command, the user's own server included."""
    own = tuple(line for line in lines(targets) if line not in LINES)
    return every_row(name) + tuple((line, table(line).get(name)) for line in own)


def _gap(targets: Targets, dates: Mapping[str, str]) -> Gap | None:
    missing = named(line for line in lines(targets) if line not in dates)
    dates = {line: date for line, date in dates.items() if line in LINES}
    if not targets.commands:  # a server that has it is not too old for it
        missing = _older(targets, dates) or missing
    return Gap(missing, _dated(dates)) if missing else None


def _older(targets: Targets, dates: Mapping[str, str]) -> str:
    """A target that is older than what every line of its product dates it to, or ``""``."""
    for product, lowest in targets.bounds:
        known = [_version(date) for line, date in dates.items() if line.startswith(product)]
        first = min(known, default=())
        if lowest < first[: len(lowest)]:
            return f"{product.capitalize()} {'.'.join(str(part) for part in lowest)}"
    return ""


def _dated(dates: Mapping[str, str]) -> str:
    """``Redis 7.4 and Valkey 9.0``."""
    found: dict[str, str] = {}
    for line, date in dates.items():
        major, _, rest = date.partition(".")
        short = f"{major}.{rest.partition('.')[0]}" if date else line.partition("-")[2]
        found.setdefault(line.partition("-")[0].capitalize(), short)
    return " and ".join(f"{product} {date}" for product, date in found.items())


@cache
def _version(text: str) -> tuple[int, ...]:
    """``(7, 4, 0)`` of ``7.4.0``; empty for an empty text."""
    return tuple(int(part) for part in text.split(".")) if text else ()
