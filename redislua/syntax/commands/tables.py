"""The tables of all server lines, each read when it is first asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from redislua.errors import ConfigError
from redislua.syntax.commands.curated import BLOCK_REFUSED_BELOW
from redislua.syntax.commands.model import Command

__all__ = ["FORMAT", "LINES", "Table", "table"]

LINES = ("redis-7.0", "redis-7.2", "redis-7.4", "redis-8.2", "valkey-8.1", "valkey-9.1")
"""The server lines that have a table, oldest first within each product."""

FORMAT = 1
"""Number of the file format: a file of another one is refused."""

FOLDER = Path(__file__).with_name("lines")


class Table:
    """The commands of one server line.

    Attributes:
        name: The line, ``redis-7.0``, or the path of the file.
        server: What it was read from, ``Redis 7.0.15``.
    """

    __slots__ = ("_found", "_rows", "name", "server")

    def __init__(self, name: str, server: str, rows: Mapping[str, Any]) -> None:
        self.name = name
        self.server = server
        self._rows = rows
        self._found: dict[str, Command] = {}

    def get(self, name: bytes | str, second: bytes | str | None = None) -> Command | None:
        """Return the row of a command, in whatever case it is written; None if unknown.

        Args:
            name: The command, ``GET``; or a subcommand with its command, ``XGROUP CREATE``.
            second: The first argument, where it is a literal: it chooses the subcommand,
                and one that the command does not have gives None.
        """
        wanted = _text(name)
        if second is not None:
            whole = f"{wanted} {_text(second)}"
            if whole in self._rows:
                return self._command(whole)
            if self._rows.get(wanted, {}).get("container"):
                return None
        return self._command(wanted) if wanted in self._rows else None

    @property
    def refuses_block(self) -> bool:
        """Whether XREAD and XREADGROUP with BLOCK are errors in a script; else they do not wait."""
        product, _, version = self.server.partition(" ")
        numbers = tuple(int(part) for part in version.split(".")[:2])
        return numbers < BLOCK_REFUSED_BELOW[product]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, bytes | str) and _text(name) in self._rows

    def __iter__(self) -> Iterator[Command]:
        return (self._command(name) for name in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {self.server}, {len(self)} commands>"

    def _command(self, name: str) -> Command:
        command = self._found.get(name)
        if command is None:
            command = self._found[name] = Command.read(name, self._rows[name])
        return command


@cache
def table(line: str | os.PathLike[str]) -> Table:
    """Return the table of a line, or the one in a file that was read from a user's server.

    Raises:
        ConfigError: There is no such line, or the file is missing or no command table.
    """
    if line in LINES:
        return _read(str(line), FOLDER / f"{line}.json")
    path = Path(line)
    if path.suffix != ".json":
        raise ConfigError(
            f"commands {str(line)!r}: expected {', '.join(LINES)}, or the path of a .json file "
            "with a command table"
        )
    return _read(str(line), path)


def _read(name: str, path: Path) -> Table:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"commands {name!r}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"commands {name!r}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError(f"commands {name!r}: expected a command table of format {FORMAT}")
    try:
        read = Table(name, document["server"], document["commands"])
        # A file of our own is tested; another one shows its faults here and not in a rule.
        if path.parent != FOLDER:
            for row in read:
                row.reply_to(())
            read.refuses_block  # noqa: B018 - refuses a server that is neither Redis nor Valkey
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"commands {name!r}: expected a command table as redislua writes it: {error!r}"
        ) from error
    return read


def _text(name: bytes | str) -> str:
    return (name.decode("latin-1") if isinstance(name, bytes) else name).upper()
