"""What blocking and asyncio connections have in common."""

from __future__ import annotations

import math
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from redislua.runtime.connections.product import Product, lacking
from redislua.runtime.settings import Settings
from redislua.runtime.steps import NotSent, Requires, TooOld

NO_RETRIES = {"retry": None, "retry_on_error": (), "retry_on_timeout": False}
"""With these a connection makes its own ``Retry(NoBackoff(), 0)``."""

MAINTENANCE = ("maint_", "maintenance_", "oss_cluster_maint_", "orig_")
"""Settings of maintenance notifications, which would move or relax a connection unseen."""

LATE = "the deadline passed before the call could be sent"

CLOSED = "Connection closed by server."


class Source(Protocol):
    """What a pool of the client library says of its connections, or a cluster's node does.

    Attributes:
        connection_class: Makes connections.
        connection_kwargs: With these settings.
        max_connections: So many at most.
    """

    @property
    def connection_class(self) -> Any: ...

    @property
    def connection_kwargs(self) -> dict[str, Any]: ...

    @property
    def max_connections(self) -> int: ...


class Line:
    """One connection, with a cheap look at whether the server said something unasked.

    Attributes:
        connection: The client library's.
        poll: ``poll(0)`` is true when something can be read.
        spent: The connection answered and must not be used again.
        is_counted: Whether it is one of those that the client allows; what was given up
            while calls wait on it is not.
        product: The server, once a script's ``@requires`` made us ask; else None.
    """

    __slots__ = ("_errors", "connection", "is_counted", "poll", "product", "spent")

    def __init__(self, connection: Any, socket: Any, errors: ModuleType) -> None:
        self.connection = connection
        self._errors = errors
        self.poll = readable(socket)
        self.spent = False
        self.is_counted = True
        self.product: Product | None = None

    def reply(self, error: Exception, *, last: bool) -> Exception | None:
        """Return an error that the client library raised if it is a reply, else None.

        Some error replies (LOADING, NOAUTH) are ConnectionErrors of the client library:
        redis-py marks them by their status code, valkey-py by their class. The parsers
        written in Python leave such a reply in their buffer, where it would meet the
        next call: so it is the last that this connection gives.
        """
        errors = self._errors
        is_reply = getattr(error, "status_code", None) is not None or isinstance(
            error, errors.BusyLoadingError | errors.AuthenticationError
        )
        self.spent = True
        return error if is_reply and last else None


L = TypeVar("L", bound=Line)


class Enough(Exception):
    """No further connection is made: the call travels on one that others use too."""


class Connections(Generic[L]):
    """Idle connections to one server and a count of all of them.

    Attributes:
        idle: Those that no call is on.
        known: Digests of scripts that the server is believed to have: answered calls
            add them, and a lost connection (a restart, a failover) empties it.
        settings: How the client's calls are made.
    """

    def __init__(
        self, source: Source, errors: ModuleType, settings: Settings, *, replica: bool = False
    ) -> None:
        """Open nothing yet.

        Args:
            source: What the connections are made like.
            errors: The exceptions of the client library.
            settings: How the client's calls are made.
            replica: Whether a replica of a cluster may be read from, which it must be told.
        """
        self._source = source
        self._errors = errors
        self._replica = replica
        # Re-entrant: a collected client's pool is closed by whoever triggers the collection.
        self._lock = threading.RLock()
        self._made = 0
        self.idle: deque[L] = deque()
        self.known: set[str] = set()
        self.settings = settings

    def _new(self, until: float, most: float = math.inf) -> Any:
        """Make a connection that is not connected yet; its waits end with the deadline.

        Raises:
            Enough: There are as many as the caller wants at most.
            NotSent: There are as many as the client allows.
        """
        with self._lock:
            if self._made >= most:
                raise Enough
            if self._made >= self._source.max_connections:
                raise NotSent(self._errors.MaxConnectionsError("Too many connections"))
            self._made += 1
        try:
            connection = self._source.connection_class(**connection_settings(self._source))
            left = max(until - time.monotonic(), 0.001)
            for name in ("socket_connect_timeout", "socket_timeout"):
                own = getattr(connection, name)
                setattr(connection, name, left if own is None else min(own, left))
        except BaseException:
            self._gone()
            raise
        return connection

    def _refused(self, product: Product | None, requires: Requires) -> NotSent | None:
        """Say that a call cannot run on the server at the other end."""
        reason = lacking(product, requires) if requires and product else ""
        return NotSent(TooOld(reason)) if reason else None

    def _gone(self) -> None:
        self.known.clear()
        with self._lock:
            self._made -= 1


def refusals(errors: ModuleType) -> Any:
    """Errors of connecting that speak of the server, not of a mistake in the settings."""
    return (errors.ConnectionError, errors.TimeoutError, errors.ResponseError, OSError)


def parse_error_of(connection: Any) -> Callable[[str], Exception]:
    """The client library's own way from the text of an error reply to an exception."""
    parse: Callable[[str], Exception] = type(connection._parser).parse_error  # noqa: SLF001
    return parse


def connection_settings(source: Source) -> dict[str, Any]:
    """The client's connection settings, read afresh: without retries and notifications."""
    settings = {
        name: value
        for name, value in source.connection_kwargs.items()
        if not name.startswith(MAINTENANCE)
    }
    return {**settings, **NO_RETRIES}


def readable(socket: Any) -> Any:
    """A check, made once for a socket, of whether it can be read: ``poll(0)``."""
    if not hasattr(select, "poll"):  # Windows
        return lambda timeout: select.select([socket], [], [], timeout)[0]
    poller = select.poll()
    poller.register(socket.fileno(), select.POLLIN)
    return poller.poll
