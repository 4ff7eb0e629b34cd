"""Waiting at the end of a list's queue, on a connection of its own.

A wait that ends early is taken out of the queue by CLIENT UNBLOCK: the server then says
whether an element had come already. Without the right to call that the connection is closed,
and an element that came in this very moment is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from redislua.patterns._connections import Connector
from redislua.patterns._plan import Pop, Stopped
from redislua.runtime.steps import Address

__all__ = ["apopped", "popped"]

SLACK = 1.0
"""Seconds beyond the wait after which a server that says nothing is taken for gone."""

LOOK = 0.1
"""Seconds after which a background wait looks whether it is to end."""


def popped(
    connector: Connector, step: Pop, address: Address | None, stopping: threading.Event | None
) -> bytes | None:
    """Wait for one element of a list.

    Args:
        connector: Makes the connection.
        step: What to wait for.
        address: The node of a cluster.
        stopping: Set when a background wait is to end.

    Raises:
        Stopped: It was.
        Exception: One of ``connector.failures``: the server is not there, or says no.
    """
    connection = connector.connected(address, step.seconds)
    number = None
    try:
        number = _number(connector, connection)
        connection.send_command(*_blpop(step))
        until = time.monotonic() + step.seconds + SLACK
        while not connection.can_read(timeout=_look(until, stopping)):
            if stopping is not None and stopping.is_set():
                raise Stopped
            if time.monotonic() >= until:
                raise TimeoutError("no answer to BLPOP")
        return _taken(step, connection.read_response(disable_decoding=True))
    except BaseException as error:
        if number is not None and not isinstance(error, connector.failures):
            with contextlib.suppress(*connector.failures):
                _unblock(connector, address, number)
                if connection.can_read(timeout=SLACK):
                    _taken(step, connection.read_response(disable_decoding=True))
        raise
    finally:
        connection.disconnect()


def _look(until: float, stopping: threading.Event | None) -> float:
    left = max(until - time.monotonic(), 0.0)
    return left if stopping is None else min(left, LOOK)


def _number(connector: Connector, connection: Any) -> Any:
    """What the server calls the connection; None where it must not be asked."""
    connection.send_command("CLIENT", "ID")
    try:
        return connection.read_response()
    except connector.refusal:
        return None


def _unblock(connector: Connector, address: Address | None, number: int) -> None:
    other = connector.connected(address, SLACK)
    try:
        other.send_command("CLIENT", "UNBLOCK", number)
        other.read_response()
    finally:
        other.disconnect()


async def apopped(
    connector: Connector,
    step: Pop,
    address: Address | None,
    keep: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
) -> bytes | None:
    """`popped` for asyncio.

    Args:
        connector: Makes the connection.
        step: What to wait for.
        address: The node of a cluster.
        keep: Makes a task that goes on when whoever waits for it is cancelled.
    """
    wait = _Wait(connector, step, address)
    task = keep(wait.wait())
    try:
        element: bytes | None = await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.shield(keep(wait.leave(task)))
        raise
    return element


class _Wait:
    def __init__(self, connector: Connector, step: Pop, address: Address | None) -> None:
        self._connector = connector
        self._step = step
        self._address = address
        self._number: int | None = None

    async def wait(self) -> bytes | None:
        step = self._step
        connection = await self._connector.aconnected(self._address, step.seconds)
        try:
            self._number = await _anumber(self._connector, connection)
            await connection.send_command(*_blpop(step))
            async with asyncio.timeout(step.seconds + SLACK):
                return _taken(step, await connection.read_response(disable_decoding=True))
        finally:
            await connection.disconnect(nowait=True)

    async def leave(self, task: asyncio.Task[Any]) -> None:
        if self._number is not None:
            with contextlib.suppress(*self._connector.failures):
                await self._unblock(self._number)
                await asyncio.wait((task,), timeout=SLACK)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # nobody is left to hear of it

    async def _unblock(self, number: int) -> None:
        other = await self._connector.aconnected(self._address, SLACK)
        try:
            await other.send_command("CLIENT", "UNBLOCK", number)
            async with asyncio.timeout(SLACK):
                await other.read_response()
        finally:
            await other.disconnect(nowait=True)


async def _anumber(connector: Connector, connection: Any) -> Any:
    await connection.send_command("CLIENT", "ID")
    try:
        return await connection.read_response()
    except connector.refusal:
        return None


def _blpop(step: Pop) -> tuple[str, bytes, str]:
    # A wait of 0 would be one without end.
    return ("BLPOP", step.key, f"{max(step.seconds, 0.001):.3f}")


def _taken(step: Pop, reply: Any) -> bytes | None:
    if reply is None:
        return None
    element: bytes = reply[1]
    step.taken.append(element)
    return element
