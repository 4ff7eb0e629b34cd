"""The one interface of every kind of server, and the options they all start with."""

from __future__ import annotations

import atexit
import re
import shlex
import threading
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Self

_OURS = frozenset(
    [
        "port",
        "bind",
        "unixsocket",
        "unixsocketperm",
        "dir",
        "daemonize",
        "supervised",
        "logfile",
        "requirepass",
    ]
)
_OPTION_NAME = re.compile(r"[a-z][a-z0-9-]*")

# Nothing is kept, and the Lua debugger and DEBUG may be used: the server is private.
_DEFAULTS = {"save": '""', "appendonly": "no", "enable-debug-command": "yes"}


class Running:
    """What runs until it is stopped. A context manager: leaving the block stops it.

    Attributes:
        kind: What was asked for, ``embedded``.
        url: Where it is reached.
        version: Product and version, ``Valkey 9.1.2`` or ``Redis 8.2.3``.
    """

    __slots__ = ("_end", "_lock", "kind", "url", "version")

    def __init__(self, kind: str, url: str, version: str, end: Callable[[], None]) -> None:
        self.kind = kind
        self.url = url
        self.version = version
        self._end: Callable[[], None] | None = end
        self._lock = threading.Lock()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Stop what runs and remove what it left. Calling it again does nothing."""
        with self._lock:
            end, self._end = self._end, None
        if end is not None:
            atexit.unregister(self.stop)
            end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.version} {self.url}>"


class Server(Running):
    """A running server. A context manager: leaving the block stops the server.

    Attributes:
        kind: What was asked for, ``embedded``.
        url: Where it listens, ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
        version: Product and version, ``Valkey 9.1.2`` or ``Redis 8.2.3``.
    """

    __slots__ = ()


def arguments(
    config: Mapping[str, str],
    *,
    defaults: Mapping[str, str] | None = None,
    decided: Collection[str] = (),
    by: str = "start",
) -> list[str]:
    """Return the command line that sets ``config`` over the defaults.

    Args:
        config: What the user set.
        defaults: Defaults beside those that every server has.
        decided: Options that the user cannot set, beside those of every server.
        by: The function that decides them.

    Raises:
        ValueError: An option has no possible name, or is one that ``by`` decides.
    """
    words = []
    for name, value in {**_DEFAULTS, **(defaults or {}), **config}.items():
        if not _OPTION_NAME.fullmatch(name):
            raise ValueError(f"config: {name!r} is no name of an option")
        if name in _OURS or name in decided:
            raise ValueError(f"config: {name!r} is decided by {by}() and cannot be set")
        words += [f"--{name}", *(shlex.split(value) or [""])]
    return words
