"""What the servers that a script is to run on say of its commands."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import LINES, Command, table
from redislua.syntax.targets import Targets

__all__ = ["Rows", "every_row", "lines", "lines_of", "named", "rows", "targets_of"]

Rows: TypeAlias = tuple[tuple[str, Command | None], ...]
"""Server lines, each with its row of one command, or None where it lacks the command."""


def targets_of(chunk: Chunk) -> Targets:
    """The servers that a script is to run on: its own ``@requires`` may ask for newer ones."""
    if chunk.script is None or not chunk.script.requires:
        return chunk.targets
    own = {one.product: one.version for one in chunk.script.requires}
    return Targets(
        tuple(
            (product, max(lowest, own[product]))
            for product, lowest in chunk.targets.bounds
            if product in own
        )
        or chunk.targets.bounds,
        chunk.targets.commands,
    )


def lines_of(chunk: Chunk) -> tuple[str, ...]:
    """The server lines that a script is to run on."""
    return lines(targets_of(chunk))


def rows(chunk: Chunk, name: str) -> Rows:
    """What each line that the script is to run on says of a command."""
    return _rows(lines_of(chunk), name)


def every_row(name: str) -> Rows:
    """What each line with a table says of a command."""
    return _rows(LINES, name)


def named(which: Iterable[str]) -> str:
    """``Redis 7.0 and 7.2, Valkey 8.1`` for lines."""
    found: dict[str, list[str]] = {}
    for line in which:
        server = line.replace("-", " ").capitalize() if line in LINES else table(line).server
        product, _, version = server.partition(" ")
        found.setdefault(product, []).append(version)
    return ", ".join(
        f"{product} {' and '.join(filter(None, [', '.join(numbers[:-1]), numbers[-1]]))}"
        for product, numbers in found.items()
    )


@cache
def lines(targets: Targets) -> tuple[str, ...]:
    """The server lines that targets mean; kept, as every rule asks."""
    return targets.lines


@cache
def _rows(which: tuple[str, ...], name: str) -> Rows:
    return tuple((line, table(line).get(name)) for line in which)
