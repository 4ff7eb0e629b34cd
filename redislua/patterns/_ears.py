"""Subscriptions of a blocking client: one thread reads the channels of all who listen."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections import Counter, deque
from typing import Any

from redislua.patterns._connections import Connector
from redislua.runtime.steps import Address

__all__ = ["Ears", "ThreadEar"]


class ThreadEar:
    """One listener of one channel.

    Attributes:
        channel: Its name.
        is_over: The connection is gone: nothing will be heard any more.
    """

    __slots__ = ("_heard", "channel", "is_over")

    def __init__(self, channel: bytes) -> None:
        self.channel = channel
        self.is_over = False
        self._heard = threading.Event()

    def wake(self) -> None:
        """Have what waits go on."""
        self._heard.set()

    def wait(self, seconds: float) -> bool:
        """Wait for a message."""
        heard = self._heard.wait(seconds)
        self._heard.clear()
        return heard


class Ears:
    """The listeners of one client, and the connection to each node that serves a channel.

    The thread alone reads and writes connections once they are made; others leave word in a
    queue and wake it through a pair of sockets. It lives while somebody listens.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._stations: dict[Address | None, _Station] = {}

    def subscribe(
        self, channel: bytes, address: Address | None, seconds: float
    ) -> ThreadEar | None:
        """Listen; None where that cannot be had within the time."""
        for _ in range(2):  # a station may end, its last listener gone, in this very moment
            ear, station = ThreadEar(channel), self._station(address, seconds)
            if station is None:
                break
            if station.add(ear, seconds):
                return ear
        return None

    def _station(self, address: Address | None, seconds: float) -> _Station | None:
        if self._process != os.getpid():  # threads and sockets are the parent's
            self._process, self._lock, self._stations = os.getpid(), threading.Lock(), {}
        with self._lock:
            station = self._stations.get(address)
            if station is None or station.is_over:
                try:
                    station = _Station(self._connector, address, seconds)
                except self._connector.failures:
                    return None
                self._stations[address] = station
        return station

    def unsubscribe(self, ear: ThreadEar) -> None:
        """Stop listening."""
        for station in list(self._stations.values()):
            station.remove(ear)


class _Station:
    """One connection, its channels, and the thread that reads it.

    Attributes:
        is_over: The connection is gone; a new station takes its place.
    """

    def __init__(self, connector: Connector, address: Address | None, seconds: float) -> None:
        self._connector = connector
        self._connection: Any = connector.connected(address, seconds)
        self._lock = threading.Lock()
        self._ears: dict[bytes, list[ThreadEar]] = {}
        self._ready: dict[bytes, threading.Event] = {}
        self._asked: Counter[tuple[bytes, bytes]] = Counter()
        self._orders: deque[tuple[bytes, bytes]] = deque()
        self._bell, self._doorbell = socket.socketpair()
        self._bell.setblocking(False)
        self.is_over = False
        threading.Thread(target=self._main, name="redislua-ears", daemon=True).start()

    def add(self, ear: ThreadEar, seconds: float) -> bool:
        """Listen to one more channel: True once the server has said so."""
        with self._lock:
            if self.is_over:
                return False
            listeners = self._ears.setdefault(ear.channel, [])
            listeners.append(ear)
            ready = self._ready.get(ear.channel)
            if ready is None:
                ready = self._ready[ear.channel] = threading.Event()
                self._order(b"ssubscribe", ear.channel)
        if ready.wait(seconds) and not self.is_over:
            return True
        self.remove(ear)
        return False

    def remove(self, ear: ThreadEar) -> None:
        """Leave a channel; the last one who leaves has it unsubscribed."""
        with self._lock:
            listeners = self._ears.get(ear.channel, [])
            if ear not in listeners:
                return
            listeners.remove(ear)
            if not listeners:
                del self._ears[ear.channel], self._ready[ear.channel]
                self._order(b"sunsubscribe", ear.channel)

    def _order(self, command: bytes, channel: bytes) -> None:
        self._asked[command, channel] += 1
        self._orders.append((command, channel))
        with contextlib.suppress(OSError):  # over: nobody reads orders any more
            self._doorbell.send(b"!")

    def _main(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._bell, selectors.EVENT_READ)
                selector.register(self._connection._sock, selectors.EVENT_READ)  # noqa: SLF001
                while self._serve(selector):
                    pass
        except self._connector.failures:
            # Whoever listens is woken, looks for itself, and subscribes anew: elsewhere, if
            # the slot has moved.
            self._connector.doubt()
        finally:
            self._end()

    def _serve(self, selector: selectors.BaseSelector) -> bool:
        selector.select()
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)
        while self._orders:
            self._connection.send_command(*self._orders.popleft())
        while self._connection.can_read(timeout=0):
            self._take(self._connection.read_response(disable_decoding=True))
        with self._lock:
            self.is_over = not self._ears
        return not self.is_over

    def _take(self, message: Any) -> None:
        kind, channel = bytes(message[0]), bytes(message[1])
        with self._lock:
            if self._asked[kind, channel]:
                self._asked -= Counter([(kind, channel)])
                # Ready, but not by an earlier subscription that has ended since.
                if not self._asked[b"ssubscribe", channel] and channel in self._ready:
                    self._ready[channel].set()
            else:  # a message, or unsubscribed unasked: the slot has moved to another node
                for ear in self._ears.get(channel, ()):
                    ear.wake()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for ready in self._ready.values():
                ready.set()
            for listeners in self._ears.values():
                for ear in listeners:
                    ear.is_over = True
                    ear.wake()
        self._connection.disconnect()
        self._bell.close()
        self._doorbell.close()
