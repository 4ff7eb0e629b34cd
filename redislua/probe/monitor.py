r"""The commands that a server runs, as it runs them: MONITOR on a connection of its own.

Those that a script called are told apart from those that came from a client, and their
words are exact, whatever bytes they hold.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import redis

_LINE = re.compile(rb'(?P<time>\d+\.\d+) \[(?P<db>\d+) (?P<source>[^\]]+)\] (?P<words>".*")')
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One command.

    Attributes:
        words: Name and arguments, as they were given.
        in_script: A script called it.
        database: Number of the database.
    """

    words: tuple[bytes, ...]
    in_script: bool
    database: int

    @property
    def name(self) -> str:
        """The command in capitals."""
        return self.words[0].decode("ascii", "backslashreplace").upper()


class Monitor:
    """Sees every command from entering to leaving its block. A context manager.

    It slows the server down: times taken meanwhile mean nothing.

    Args:
        url: The server, ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
    """

    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_url(url)
        self._connection: Any = None

    def __enter__(self) -> Self:
        try:
            self._connection = self._client.connection_pool.get_connection()
            self._connection.send_command("MONITOR")
            self._connection.read_response(disable_decoding=True)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    def collect(self) -> list[Seen]:
        """Return the commands since the last collection, in the order in which they ran.

        What was answered before this is called is among them.
        """
        marker = secrets.token_hex(16).encode()
        self._client.execute_command("ECHO", marker)
        found: list[Seen] = []
        while True:
            seen = read_line(self._connection.read_response(disable_decoding=True))
            if seen.words[-1:] == (marker,):
                return found
            found.append(seen)

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()
            self._client.connection_pool.release(connection)
        self._client.close()


def read_line(line: bytes) -> Seen:
    """Read one line of MONITOR; any other text is a ValueError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a line of MONITOR: {line!r}")
    words = tuple(_ESCAPE.sub(_unescaped, word) for word in _WORD.findall(found["words"]))
    return Seen(words, found["source"] == b"lua", int(found["db"]))


def _unescaped(found: re.Match[bytes]) -> bytes:
    text = found[1]
    if len(text) == 3:
        return bytes([int(text[1:], 16)])
    return _PLAIN.get(text, text)
