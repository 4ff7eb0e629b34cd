"""The only module that touches the client library's connections.

A client's own pool retries: by default redis-py sends EVALSHA again up to ten times after a
lost reply. So each client gets a pool of redislua's own, made from the same connection
class and settings without retries, in which no write is repeated unseen.

What is used of redis-py and valkey-py is listed in ``tests/runtime/test_redis_py.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from types import ModuleType
from typing import Any, Generic, TypeVar

from redislua.runtime.plan import Command, Lost, NotSent

__all__ = ["AsyncLine", "AsyncPool", "BlockingLine", "Pool"]

NO_RETRIES = {"retry": None, "retry_on_error": (), "retry_on_timeout": False}
"""With these a connection makes its own ``Retry(NoBackoff(), 0)``."""

MAINTENANCE = ("maint_", "maintenance_", "oss_cluster_maint_", "orig_")
"""Settings of maintenance notifications, which would move or relax a connection unseen."""

LATE = "the deadline passed before the call could be sent"


class Line:
    """One connection, with a cheap look at whether the server said something unasked.

    Attributes:
        connection: The client library's.
        poll: ``poll(0)`` is true when something can be read.
        spent: The connection answered and must not be used again.
    """

    __slots__ = ("_errors", "connection", "poll", "spent")

    def __init__(self, connection: Any, socket: Any, errors: ModuleType) -> None:
        self.connection = connection
        self._errors = errors
        self.poll = _readable(socket)
        self.spent = False

    def pack(self, commands: Sequence[Command]) -> Any:
        if len(commands) == 1:
            return self.connection.pack_command(*commands[0])
        return self.connection.pack_commands(commands)

    def end(self, replies: list[Any], commands: Sequence[Command], error: Exception) -> None:
        """Take an error for the last reply, or raise `Lost`.

        Some error replies (LOADING, NOAUTH) are ConnectionErrors of the client library:
        redis-py marks them by their status code, valkey-py by their class. The parsers
        written in Python leave such a reply in their buffer, where it would meet the
        next call: so it is the last that this connection gives.
        """
        errors = self._errors
        is_reply = getattr(error, "status_code", None) is not None or isinstance(
            error, errors.BusyLoadingError | errors.AuthenticationError
        )
        if not is_reply or len(replies) + 1 < len(commands):
            raise Lost(error) from error
        self.spent = True
        replies.append(error)


L = TypeVar("L", bound=Line)


class _Connections(Generic[L]):
    """Idle connections of one client and a count of all of them."""

    def __init__(self, source: Any, errors: ModuleType) -> None:
        self._source = source
        self._errors = errors
        self._lock = threading.Lock()
        self._made = 0
        self.idle: deque[L] = deque()

    def _new(self, until: float) -> Any:
        """Make a connection that is not connected yet; its waits end with the deadline."""
        with self._lock:
            if self._made >= self._source.max_connections:
                raise NotSent(self._errors.MaxConnectionsError("Too many connections"))
            self._made += 1
        try:
            connection = self._source.connection_class(**_settings(self._source))
            left = max(until - time.monotonic(), 0.001)
            for name in ("socket_connect_timeout", "socket_timeout"):
                own = getattr(connection, name)
                setattr(connection, name, left if own is None else min(own, left))
        except BaseException:
            self._gone()
            raise
        return connection

    def _gone(self) -> None:
        with self._lock:
            self._made -= 1


# --- blocking --------------------------------------------------------------------------------


class BlockingLine(Line):
    """One blocking connection."""

    __slots__ = ("_socket",)

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        self._socket = connection._sock  # noqa: SLF001 - its one name in both libraries
        super().__init__(connection, self._socket, errors)

    def is_fresh(self, until: float) -> bool:
        """Nothing unread, no end of file, and a PING answered where the client asks for it."""
        if self.poll(0):
            return False
        if self.connection.health_check_interval:
            self._socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                self.connection.check_health()
            except _refusals(self._errors):
                return False
        return True

    def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        packed = self.pack(commands)
        left = until - time.monotonic()
        if left <= 0:
            raise NotSent(TimeoutError(LATE))
        # Set on the socket, the time left bounds writing too, and valkey-py's
        # read_response, which has no timeout of its own.
        self._socket.settimeout(left)
        replies: list[Any] = []
        try:
            self.connection.send_packed_command(packed, check_health=False)
            for _ in commands:
                replies.append(self._reply())  # noqa: PERF401 - what came before an error counts
        except Exception as error:
            self.end(replies, commands, error)
        return replies

    def _reply(self) -> Any:
        try:
            # The connection stays open on an error reply: more replies may follow it.
            return self.connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except self._errors.ResponseError as error:
            return error


class Pool(_Connections[BlockingLine]):
    """The connections of one blocking client. Threads may share it."""

    def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        """Write commands and read one reply for each, an error reply as an exception value.

        Args:
            commands: What to write.
            until: When to stop waiting, on ``time.monotonic``.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived; the connection is closed.
        """
        line = self._lease(until)
        try:
            replies = line.exchange(commands, until)
        except BaseException:
            self._drop(line)
            raise
        if line.spent:
            self._drop(line)
        else:
            self.idle.append(line)
        return replies

    def close(self) -> None:
        """Close the idle connections."""
        while self.idle:
            self._drop(self.idle.pop())

    def forget(self) -> None:
        """Start afresh in a child process, where disconnecting leaves the parent's socket open."""
        self._lock = threading.Lock()
        self._made = 0
        self.idle.clear()

    def _lease(self, until: float) -> BlockingLine:
        while True:
            try:
                line = self.idle.pop()
            except IndexError:
                return self._connect(until)
            if line.is_fresh(until):
                return line
            self._drop(line)

    def _connect(self, until: float) -> BlockingLine:
        connection = self._new(until)
        try:
            connection.connect()
            return BlockingLine(connection, self._errors)
        except BaseException as error:
            self._gone()
            connection.disconnect()
            if isinstance(error, _refusals(self._errors)):
                raise NotSent(error) from error
            raise

    def _drop(self, line: BlockingLine) -> None:
        self._gone()
        line.connection.disconnect()


# --- asyncio ---------------------------------------------------------------------------------


class AsyncLine(Line):
    """One asyncio connection."""

    __slots__ = ("_writer",)

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        self._writer = connection._writer  # noqa: SLF001 - its one name in both libraries
        super().__init__(connection, self._writer.get_extra_info("socket"), errors)
        # The deadline bounds every wait; with a timeout of its own redis-py would
        # start a task for each write.
        connection.socket_timeout = None

    async def is_fresh(self, until: float) -> bool:
        """Nothing unread, no end of file, and a PING answered where the client asks for it."""
        # A closed transport first: its descriptor may already be another socket's.
        if self._writer.is_closing() or self.poll(0):
            return False
        if self.connection.health_check_interval:
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await self.connection.check_health()
            except _refusals(self._errors):
                return False
        return True

    async def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        packed = self.pack(commands)
        left = until - time.monotonic()
        if left <= 0:
            raise NotSent(TimeoutError(LATE))
        replies: list[Any] = []
        try:
            async with asyncio.timeout(left):
                await self.connection.send_packed_command(packed, check_health=False)
                for _ in commands:
                    replies.append(await self._reply())  # noqa: PERF401 - as above
        except TimeoutError as error:
            raise Lost(TimeoutError(f"no reply within {left:.3g} s")) from error
        except Exception as error:
            self.end(replies, commands, error)
        return replies

    async def _reply(self) -> Any:
        try:
            return await self.connection.read_response(
                disable_decoding=True, disconnect_on_error=False
            )
        except self._errors.ResponseError as error:
            return error


class AsyncPool(_Connections[AsyncLine]):
    """The connections of one asyncio client in one event loop."""

    def __init__(self, source: Any, errors: ModuleType, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, errors)
        self._loop = loop
        self._ended = False
        self._guard: AsyncGenerator[None, None] | None = None

    async def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        """Write commands and read one reply for each: `Pool.exchange` for asyncio.

        A cancelled exchange closes its connection: its late reply meets nobody.
        """
        line = await self._lease(until)
        try:
            replies = await line.exchange(commands, until)
        except BaseException:
            self._drop(line)
            raise
        if line.spent or self._ended:
            self._drop(line)
        else:
            self.idle.append(line)
        return replies

    def close(self) -> None:
        """Close the idle connections, and each other one when its call ends. In the loop only."""
        self._ended = True
        while self.idle:
            self._drop(self.idle.pop())

    def close_soon(self) -> None:
        """Close from anywhere, a finalizer included."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    async def _lease(self, until: float) -> AsyncLine:
        while self.idle:
            line = self.idle.pop()
            try:
                fresh = await line.is_fresh(until)
            except BaseException:
                self._drop(line)
                raise
            if fresh:
                return line
            self._drop(line)
        return await self._connect(until)

    async def _connect(self, until: float) -> AsyncLine:
        await self._watch_loop()
        connection = self._new(until)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await connection.connect()
            return AsyncLine(connection, self._errors)
        except BaseException as error:
            self._gone()
            _abort(connection)
            if isinstance(error, _refusals(self._errors)):
                raise NotSent(error) from error
            raise

    async def _watch_loop(self) -> None:
        """Have the loop close the idle connections when it shuts down.

        ``asyncio.run`` closes the asynchronous generators that were begun in it: the one hook
        a loop offers. Without it a client that outlives its loop leaves transports open.
        """
        if self._guard is None:
            self._guard = _until_shutdown(self)
            await anext(self._guard)

    def _end(self) -> None:
        # The guard's last lines await nothing, so one step ends it: left to the garbage
        # collector it would start a task, perhaps in a loop that is about to stop.
        if self._guard is not None:
            with contextlib.suppress(StopIteration):
                self._guard.aclose().send(None)

    def _drop(self, line: AsyncLine) -> None:
        self._gone()
        _abort(line.connection)


async def _until_shutdown(pool: AsyncPool) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        pool.close()


def _abort(connection: Any) -> None:
    """Close at once: ``disconnect`` is a coroutine, which a cancelled task cannot rely on."""
    writer = connection._writer  # noqa: SLF001
    if writer is not None:
        writer.transport.abort()
        connection._close()  # noqa: SLF001 - or its __del__ warns


def _refusals(errors: ModuleType) -> Any:
    """Errors of connecting that speak of the server, not of a mistake in the settings."""
    return (errors.ConnectionError, errors.TimeoutError, errors.ResponseError, OSError)


def _settings(source: Any) -> dict[str, Any]:
    """The client's connection settings, read afresh: without retries and notifications."""
    settings = {
        name: value
        for name, value in source.connection_kwargs.items()
        if not name.startswith(MAINTENANCE)
    }
    return {**settings, **NO_RETRIES}


def _readable(socket: Any) -> Any:
    """A check, made once for a socket, of whether it can be read: ``poll(0)``."""
    if not hasattr(select, "poll"):  # Windows
        return lambda timeout: select.select([socket], [], [], timeout)[0]
    poller = select.poll()
    poller.register(socket.fileno(), select.POLLIN)
    return poller.poll
