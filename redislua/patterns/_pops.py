"""Waiting at the end of a list's queue, on a connection of its own.

The connections of a client's waits are kept for the next ones: making one costs more than all
the rest of a wait. They are other ones than those of its calls, of which there are few.

A wait that ends early is taken out of the queue by CLIENT UNBLOCK: the server then says
whether an element had come already. Without the right to call that the connection is closed,
and an element that came in this very moment is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from redislua.patterns._connections import Connector
from redislua.patterns._plan import Pop, Stopped
from redislua.runtime.connections import Pool
from redislua.runtime.connections.leased import AsyncLine, Leased
from redislua.runtime.pools import settings_of
from redislua.runtime.steps import Address, Lost, NotSent

__all__ = ["FAILURES", "AsyncQueues", "Queues"]

FAILURES: tuple[type[Exception], ...] = (NotSent, Lost)
"""What waiting raises when there is no server, or when it says no."""

SLACK = 1.0
"""Seconds beyond the wait after which a server that says nothing is taken for gone."""

LOOK = 0.1
"""Seconds after which a background wait looks whether it is to end."""

KEPT = 8
"""Connections to one server that are kept while nobody waits."""


# --- threads -------------------------------------------------------------------------------------


class Queues:
    """Where the threads of one client wait; all its drivers share them."""

    def __init__(self, client: Any, connector: Connector) -> None:
        self._connector = connector
        self._settings = settings_of(client)
        self._process = os.getpid()
        self._places: dict[Address | None, _Places] = {}
        self._lock = threading.Lock()
        weakref.finalize(client, _close, self._places)

    @classmethod
    def of(cls, client: Any, connector: Connector) -> Queues:
        """Those of a client."""
        return _queues.setdefault(client, cls(client, connector))

    def popped(
        self, step: Pop, address: Address | None, stopping: threading.Event | None
    ) -> bytes | None:
        """Wait for one element of a list.

        Args:
            step: What to wait for.
            address: The node of a cluster.
            stopping: Set when a background wait is to end.

        Raises:
            Stopped: It was.
            NotSent: One of `FAILURES`.
            Lost: One of `FAILURES`.
        """
        return self._at(address).popped(step, stopping)

    def _at(self, address: Address | None) -> _Places:
        if self._process != os.getpid():
            self._process, self._lock = os.getpid(), threading.Lock()
            for inherited in self._places.values():
                inherited.forget()
        with self._lock:
            places = self._places.get(address)
            if places is None:
                source, errors = self._connector.source(address), self._connector.errors
                places = self._places[address] = _Places(source, errors, self._settings)
        return places


def _close(places: dict[Address | None, _Places]) -> None:
    for one in places.values():
        one.close()


_queues: weakref.WeakKeyDictionary[Any, Queues] = weakref.WeakKeyDictionary()


class _Places(Pool):
    """The connections of waits on one server."""

    def popped(self, step: Pop, stopping: threading.Event | None) -> bytes | None:
        until = time.monotonic() + max(step.seconds, SLACK)
        line = self.take(until)
        number = None
        try:
            number = self._number(line, until)
            until = time.monotonic() + step.seconds + SLACK
            line.write(line.pack([_blpop(step)]), until)
            while line.is_clean() and not line.poll(_look(until, stopping) * 1_000):
                if stopping is not None and stopping.is_set():
                    raise Stopped
                if time.monotonic() >= until:
                    raise Lost(TimeoutError("no answer to BLPOP"))
            (reply,) = line.read(1, until + SLACK)
        except BaseException as error:
            if number is not None and not isinstance(error, FAILURES):
                with contextlib.suppress(*FAILURES):
                    self._leave(step, line, number)
            self.drop(line)
            raise
        if isinstance(reply, Exception):
            self.drop(line)
            self.renew()  # what says no may be no primary any more
            raise Lost(reply)
        if len(self.idle) < KEPT:
            self.free(line)
        else:
            self.drop(line)
        return _taken(step, reply)

    def _number(self, line: Any, until: float) -> int | None:
        """What the server calls the connection; None where it must not be asked."""
        number = _numbers.get(line.connection)
        if number is None:
            number = _numbers[line.connection] = line.ask(line.pack([_ID]), until)
        return number if isinstance(number, int) else None

    def _leave(self, step: Pop, line: Any, number: int) -> None:
        until = time.monotonic() + SLACK
        other = self.take(until)
        try:
            other.ask(other.pack([(*_UNBLOCK, number)]), until)
        except BaseException:
            self.drop(other)
            raise
        self.free(other)
        _taken(step, line.read(1, until)[0])


def _look(until: float, stopping: threading.Event | None) -> float:
    left = max(until - time.monotonic(), 0.0)
    return left if stopping is None else min(left, LOOK)


# --- asyncio -------------------------------------------------------------------------------------


class AsyncQueues:
    """`Queues` for the tasks of one client in one event loop."""

    def __init__(self, client: Any, connector: Connector) -> None:
        self._connector = connector
        self._settings = settings_of(client)
        self._loop = asyncio.get_running_loop()
        self._places: dict[Address | None, _AsyncPlaces] = {}
        weakref.finalize(client, _close_soon, self._places).atexit = False

    @classmethod
    def of(cls, client: Any, connector: Connector) -> AsyncQueues:
        """Those of a client in the running loop."""
        by_loop = _async_queues.setdefault(client, weakref.WeakKeyDictionary())
        loop = asyncio.get_running_loop()
        found = by_loop.get(loop)
        if found is None:
            found = by_loop[loop] = cls(client, connector)
        return found

    async def popped(
        self,
        step: Pop,
        address: Address | None,
        keep: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> bytes | None:
        """`Queues.popped`.

        Args:
            step: What to wait for.
            address: The node of a cluster.
            keep: Makes a task that goes on when whoever waits for it is cancelled.
        """
        wait = _Wait(self._at(address), step)
        task = keep(wait.wait())
        try:
            element: bytes | None = await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.shield(keep(wait.leave(task)))
            raise
        return element

    def _at(self, address: Address | None) -> _AsyncPlaces:
        places = self._places.get(address)
        if places is None:
            source, errors = self._connector.source(address), self._connector.errors
            places = _AsyncPlaces(source, errors, self._settings, self._loop)
            self._places[address] = places
        return places


def _close_soon(places: dict[Address | None, _AsyncPlaces]) -> None:
    for one in places.values():
        one.close_soon()


_async_queues: weakref.WeakKeyDictionary[
    Any, weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncQueues]
] = weakref.WeakKeyDictionary()


class _AsyncPlaces(Leased):
    """The connections of waits on one server."""

    async def take(self, until: float) -> AsyncLine:
        """Take a connection that is sound."""
        return await self._lease(until)

    async def number(self, line: AsyncLine, until: float) -> int | None:
        """What the server calls a connection; None where it must not be asked."""
        number = _numbers.get(line.connection)
        if number is None:
            (number,) = await line.exchange([_ID], until)
            _numbers[line.connection] = number
        return number if isinstance(number, int) else None

    async def unblock(self, number: int) -> None:
        """End a wait."""
        until = time.monotonic() + SLACK
        other = await self._lease(until)
        try:
            await other.exchange([(*_UNBLOCK, number)], until)
        except BaseException:
            self._drop(other)
            raise
        self.give_back(other)

    def give_back(self, line: AsyncLine, *, is_sound: bool = True) -> None:
        """Keep a connection for the next, or close it."""
        if is_sound and not line.spent and not self._ended and len(self.idle) < KEPT:
            self.idle.append(line)
        else:
            self._drop(line)

    def renew(self) -> None:
        """Close what is kept: it may lead to what is no primary any more."""
        self._drop_idle()


class _Wait:
    def __init__(self, places: _AsyncPlaces, step: Pop) -> None:
        self._places = places
        self._step = step
        self._number: int | None = None

    async def wait(self) -> bytes | None:
        places, step = self._places, self._step
        until = time.monotonic() + max(step.seconds, SLACK)
        line = await places.take(until)
        try:
            self._number = await places.number(line, until)
            (reply,) = await line.exchange([_blpop(step)], time.monotonic() + step.seconds + SLACK)
        except BaseException:
            places.give_back(line, is_sound=False)
            raise
        places.give_back(line, is_sound=not isinstance(reply, Exception))
        if isinstance(reply, Exception):
            places.renew()
            raise Lost(reply)
        return _taken(step, reply)

    async def leave(self, task: asyncio.Task[Any]) -> None:
        """End the wait, and let it say what it has taken."""
        if self._number is not None:
            with contextlib.suppress(*FAILURES):
                await self._places.unblock(self._number)
                await asyncio.wait((task,), timeout=SLACK)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # nobody is left to hear of it


# --- both ----------------------------------------------------------------------------------------

_ID = ("CLIENT", "ID")
_UNBLOCK = ("CLIENT", "UNBLOCK")

_numbers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""What the server calls a connection, or the error with which it refused to say."""


def _blpop(step: Pop) -> tuple[str, bytes, str]:
    # A wait of 0 would be one without end.
    return ("BLPOP", step.key, f"{max(step.seconds, 0.001):.3f}")


def _taken(step: Pop, reply: Any) -> bytes | None:
    if reply is None or isinstance(reply, Exception):
        return None
    element: bytes = reply[1]
    step.taken.append(element)
    return element
