"""Asyncio connections that each call has to itself, read by the client library's own parser."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any

from redislua.runtime.connections.line import LATE, Connections, Line, Source, refusals
from redislua.runtime.connections.product import HELLO, product_of
from redislua.runtime.settings import Settings
from redislua.runtime.steps import Command, Lost, NotSent, Requires

__all__ = ["AsyncLine", "Leased", "abort"]


class AsyncLine(Line):
    """One asyncio connection."""

    __slots__ = ("_has_more", "_writer")

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        self._writer = connection._writer  # noqa: SLF001 - its one name in both libraries
        super().__init__(connection, self._writer.get_extra_info("socket"), errors)
        # redis-py's name for it, and valkey-py's.
        more = getattr(connection, "can_read", None) or connection.can_read_destructive
        self._has_more: Callable[[], Awaitable[bool]] = more
        # The deadline bounds every wait; with a timeout of its own redis-py would
        # start a task for each write.
        connection.socket_timeout = None

    async def is_fresh(self, until: float) -> bool:
        """Nothing unread, no end of file, and a PING answered where the client asks for it."""
        # A closed transport first: its descriptor may already be another socket's.
        if self._writer.is_closing() or self.poll(0):
            return False
        try:
            if await self._has_more():  # bytes that nobody asked for
                return False
            async with asyncio.timeout(until - time.monotonic()):
                await self.connection.check_health()  # if the client asks for it
        except refusals(self._errors):
            return False
        return True

    async def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        """Write commands and read their replies; raises `NotSent` or `Lost`."""
        left = until - time.monotonic()
        if left <= 0:
            raise NotSent(TimeoutError(LATE))
        if len(commands) == 1:
            packed = self.connection.pack_command(*commands[0])
        else:
            packed = self.connection.pack_commands(commands)
        replies: list[Any] = []
        try:
            async with asyncio.timeout(left):
                await self.connection.send_packed_command(packed, check_health=False)
                for _ in commands:
                    replies.append(await self._reply())  # noqa: PERF401 - what came counts
        except TimeoutError as error:
            raise Lost(TimeoutError(f"no reply within {left:.3g} s"), replies) from error
        except Exception as error:
            reply = self.reply(error, last=len(replies) + 1 == len(commands))
            if reply is None:
                raise Lost(error, replies) from error
            replies.append(reply)
        return replies

    async def _reply(self) -> Any:
        try:
            return await self.connection.read_response(
                disable_decoding=True, disconnect_on_error=False
            )
        except self._errors.ResponseError as error:
            return error


class Leased(Connections[AsyncLine]):
    """The connections to one server of one asyncio client in one event loop."""

    def __init__(
        self,
        source: Source,
        errors: ModuleType,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        *,
        replica: bool = False,
    ) -> None:
        super().__init__(source, errors, settings, replica=replica)
        self._loop = loop
        self._ended = False
        self._guard: AsyncGenerator[None, None] | None = None

    async def leased_exchange(
        self, commands: Sequence[Command], until: float, requires: Requires
    ) -> list[Any]:
        """Write commands and read one reply for each, on a connection of their own.

        A cancelled exchange closes its connection: its late reply meets nobody.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived; the connection is closed.
        """
        line = await self._lease(until)
        if requires:
            await self._identify(line, until)
            refused = self._refused(line.product, requires)
            if refused is not None:
                self.idle.append(line)
                raise refused
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
        self._drop_idle()

    def close_soon(self) -> None:
        """Close from anywhere, a finalizer included."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, perhaps at this moment
            self._loop.call_soon_threadsafe(self._end)

    async def _connection(self, until: float) -> Any:
        """Open a connection."""
        await self._watch_loop()
        connection = self._new(until)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await connection.connect()
                if self._replica:
                    await connection.send_command("READONLY")
                    await connection.read_response()
        except BaseException as error:
            self._gone()
            abort(connection)
            if isinstance(error, refusals(self._errors)):
                raise NotSent(error) from error
            raise
        return connection

    def _drop_idle(self) -> None:
        while self.idle:
            self._drop(self.idle.pop())

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
        return AsyncLine(await self._connection(until), self._errors)

    async def _identify(self, line: AsyncLine, until: float) -> None:
        try:
            line.product = line.product or product_of((await line.exchange([HELLO], until))[0])
        except BaseException as error:
            self._drop(line)
            if isinstance(error, Lost):  # of HELLO; of the call nothing was sent
                raise NotSent(error.cause) from error
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
        abort(line.connection)


async def _until_shutdown(pool: Leased) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        pool.close()


def abort(connection: Any) -> None:
    """Close at once: ``disconnect`` is a coroutine, which a cancelled task cannot rely on."""
    writer = connection._writer  # noqa: SLF001
    if writer is not None:
        writer.transport.abort()
        connection._close()  # noqa: SLF001 - or its __del__ warns
