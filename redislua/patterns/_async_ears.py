"""Subscriptions of an asyncio client: one task reads the channels of all who listen."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from redislua.patterns._connections import Connector
from redislua.runtime.steps import Address

__all__ = ["AsyncEars", "TaskEar"]


class TaskEar:
    """One listener of one channel.

    Attributes:
        channel: Its name.
        is_over: The connection is gone: nothing will be heard any more.
    """

    __slots__ = ("_heard", "channel", "is_over")

    def __init__(self, channel: bytes) -> None:
        self.channel = channel
        self.is_over = False
        self._heard = asyncio.Event()

    def wake(self) -> None:
        """Have what waits go on."""
        self._heard.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a message."""
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True


class AsyncEars:
    """`redislua.patterns._ears.Ears` for asyncio, in one event loop."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._lock = asyncio.Lock()
        self._stations: dict[Address | None, _Station] = {}

    async def subscribe(
        self, channel: bytes, address: Address | None, seconds: float
    ) -> TaskEar | None:
        """Listen; None where that cannot be had within the time."""
        ear = TaskEar(channel)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(2):  # a station may end, its last listener gone, in this moment
                    station = await self._station(address, seconds)
                    if await station.add(ear):
                        return ear
        except self._connector.failures:  # too late is one of them
            self._connector.doubt()
        return None

    async def _station(self, address: Address | None, seconds: float) -> _Station:
        async with self._lock:
            station = self._stations.get(address)
            if station is None or station.is_over:
                connection = await self._connector.aconnected(address, seconds)
                station = self._stations[address] = _Station(self._connector, connection)
        return station

    async def unsubscribe(self, ear: TaskEar) -> None:
        """Stop listening."""
        for station in list(self._stations.values()):
            await station.remove(ear)


class _Station:
    """One connection, its channels, and the task that reads it.

    Attributes:
        is_over: The connection is gone; a new station takes its place.
    """

    def __init__(self, connector: Connector, connection: Any) -> None:
        self._connector = connector
        self._connection = connection
        self._ears: dict[bytes, list[TaskEar]] = {}
        self._ready: dict[bytes, asyncio.Event] = {}
        self._asked: Counter[tuple[bytes, bytes]] = Counter()
        self.is_over = False
        self._task = asyncio.get_running_loop().create_task(self._main())

    async def add(self, ear: TaskEar) -> bool:
        """Listen to one more channel: True once the server has said so."""
        if self.is_over:
            return False
        self._ears.setdefault(ear.channel, []).append(ear)
        ready = self._ready.get(ear.channel)
        try:
            if ready is None:
                ready = self._ready[ear.channel] = asyncio.Event()
                await self._order(b"ssubscribe", ear.channel)
            await ready.wait()
        except BaseException:
            await self.remove(ear)
            raise
        return not self.is_over

    async def remove(self, ear: TaskEar) -> None:
        """Leave a channel; the last one who leaves has it unsubscribed."""
        listeners = self._ears.get(ear.channel, [])
        if ear not in listeners:
            return
        listeners.remove(ear)
        if listeners or self.is_over:
            return
        del self._ears[ear.channel], self._ready[ear.channel]
        if not self._ears:
            self._task.cancel()
            await asyncio.wait((self._task,))
            return
        try:
            await self._order(b"sunsubscribe", ear.channel)
        except self._connector.failures:
            self._task.cancel()

    async def _order(self, command: bytes, channel: bytes) -> None:
        self._asked[command, channel] += 1
        await self._connection.send_command(command, channel)

    async def _main(self) -> None:
        try:
            while True:
                self._take(await self._connection.read_response(disable_decoding=True))
        except self._connector.failures:
            # Whoever listens is woken, looks for itself, and subscribes anew: elsewhere, if
            # the slot has moved.
            self._connector.doubt()
        finally:
            self._end()
            await self._connection.disconnect(nowait=True)

    def _take(self, message: Any) -> None:
        kind, channel = bytes(message[0]), bytes(message[1])
        if self._asked[kind, channel]:
            self._asked -= Counter([(kind, channel)])
            # Ready, but not by an earlier subscription that has ended since.
            if not self._asked[b"ssubscribe", channel] and channel in self._ready:
                self._ready[channel].set()
        else:  # a message, or unsubscribed unasked: the slot has moved to another node
            for ear in self._ears.get(channel, ()):
                ear.wake()

    def _end(self) -> None:
        self.is_over = True
        for ready in self._ready.values():
            ready.set()
        for listeners in self._ears.values():
            for ear in listeners:
                ear.is_over = True
                ear.wake()
