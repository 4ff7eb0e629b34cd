"""Asyncio connections."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from types import ModuleType
from typing import Any

from redislua.runtime.connections.line import LATE, Connections, Line, refusals
from redislua.runtime.connections.product import ANY, HELLO, Requires, product_of
from redislua.runtime.plan import Command, Lost, NotSent


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
            except refusals(self._errors):
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
            raise Lost(TimeoutError(f"no reply within {left:.3g} s"), replies) from error
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


class AsyncPool(Connections[AsyncLine]):
    """The connections of one asyncio client in one event loop."""

    def __init__(self, source: Any, errors: ModuleType, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, errors)
        self._loop = loop
        self._ended = False
        self._guard: AsyncGenerator[None, None] | None = None

    async def exchange(
        self, commands: Sequence[Command], until: float, requires: Requires = ANY
    ) -> list[Any]:
        """Write commands and read one reply for each: `Pool.exchange` for asyncio.

        A cancelled exchange closes its connection: its late reply meets nobody.
        """
        line = await self._lease(until)
        if requires:
            await self._identify(line, until)
            self._admit(line, requires)
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

    async def _identify(self, line: AsyncLine, until: float) -> None:
        try:
            line.product = line.product or product_of((await line.exchange([HELLO], until))[0])
        except BaseException as error:
            self._drop(line)
            if isinstance(error, Lost):  # of HELLO; of the call nothing was sent
                raise NotSent(error.cause) from error
            raise

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
            if isinstance(error, refusals(self._errors)):
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
