"""One connection on which a server's replies keep what they are.

A client library gives ``OK`` and ``"OK"`` as the same bytes. A script is given a table for
the one and a string for the other, so what stands in a script's place must know.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import redis.connection

from redislua.errors import ServerUnavailable

__all__ = ["Connection", "Failure", "Reply", "Status", "Typed"]

PATIENCE = 60.0
"""Seconds to wait for a reply."""


class Status(bytes):
    """A status reply, ``OK``."""

    __slots__ = ()


class Failure(bytes):
    """An error reply, its code first: ``WRONGTYPE Operation against a key …``."""

    __slots__ = ()


class Typed(NamedTuple):
    """A reply that RESP3 alone has.

    Attributes:
        kind: ``null``, ``map``, ``set``, ``double``, ``big_number`` or ``verbatim_string``.
        value: Pairs, elements, or the bytes as they came.
    """

    kind: str
    value: Any


Reply: TypeAlias = "Status | Failure | Typed | bytes | int | bool | list[Reply] | None"


class Connection:
    """A connection of its own, to a server of ours: without TLS. A context manager.

    Args:
        url: ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
    """

    def __init__(self, url: str) -> None:
        place = _parsed(url)
        self._db = int(place.get("db", 0))
        try:
            self._socket = _open(place)
        except OSError as error:
            raise ServerUnavailable(f"no connection to {url}: {error}") from error
        self._file = self._socket.makefile("rb")
        if place.get("password"):
            self._do(b"AUTH", place.get("username", "default").encode(), place["password"].encode())
        self.reset()

    def close(self) -> None:
        """Close it."""
        self._file.close()
        self._socket.close()

    def reset(self) -> None:
        """Go back to the URL's database and to RESP2, as the server does behind a script."""
        self._do(b"HELLO", b"2")
        self._do(b"SELECT", b"%d" % self._db)

    def send(self, words: Sequence[bytes]) -> Reply:
        """Send one command and return its reply, an error as a `Failure`."""
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            parts += (b"$%d\r\n" % len(word), word, b"\r\n")
        self._socket.sendall(b"".join(parts))
        return self._read()

    def _do(self, *words: bytes) -> None:
        reply = self.send(words)
        if isinstance(reply, Failure):
            raise ServerUnavailable(f"{words[0].decode()}: {reply.decode('utf-8', 'replace')}")

    def _read(self) -> Reply:
        line = b""
        while not line.endswith(b"\r\n"):  # an error of Redis 8.2 may hold a bare newline
            more = self._file.readline()
            if not more:
                raise ServerUnavailable("the server closed the connection")
            line += more
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self._exactly(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else self._several(int(rest))
        return self._simple(kind, rest)

    def _simple(self, kind: bytes, rest: bytes) -> Reply:
        match kind:
            case b"+":
                return Status(rest)
            case b"-":
                return Failure(rest)
            case b":":
                return int(rest)
            case b"_":
                return Typed("null", None)
            case b"#":
                return rest == b"t"
            case b",":
                return Typed("double", rest)
            case b"(":
                return Typed("big_number", rest)
            case b"=":
                return Typed("verbatim_string", self._exactly(int(rest)))
            case b"~":
                return Typed("set", self._several(int(rest)))
            case b"%":
                return Typed("map", self._several(2 * int(rest)))
        raise ServerUnavailable(f"the server answered {kind + rest[:40]!r}, which is no reply")

    def _several(self, count: int) -> list[Reply]:
        return [self._read() for _ in range(count)]

    def _exactly(self, size: int) -> bytes:
        return self._file.read(size + 2)[:-2]


def _parsed(url: str) -> dict[str, Any]:
    parse: Any = redis.connection.parse_url
    place: dict[str, Any] = parse(url)
    return place


def _open(place: dict[str, Any]) -> socket.socket:
    if "path" in place:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(PATIENCE)
        opened.connect(place["path"])
        return opened
    address = (place.get("host", "localhost"), place.get("port", 6379))
    opened = socket.create_connection(address, PATIENCE)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened
