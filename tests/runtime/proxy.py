"""A TCP proxy that loses, delays and cuts what passes through it, on order."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

FaultName: TypeAlias = Literal["drop_reply", "reset", "blackhole", "delay", "cut", "answer"]


@dataclass
class Fault:
    """What to do with the next requests that contain a pattern.

    Attributes:
        name: ``drop_reply`` closes instead of passing the reply on, ``reset`` closes
            without passing the request on, ``blackhole`` swallows the reply, ``delay``
            keeps it back, ``cut`` passes its first bytes on and closes, ``answer`` answers
            in the server's place.
        pattern: Bytes that a request must contain.
        shots: How many requests it meets.
        amount: Seconds of ``delay``, bytes of ``cut``.
        reply: What ``answer`` answers: for what no server can be made to say.
    """

    name: FaultName
    pattern: bytes = b"EVALSHA"
    shots: int = 1
    amount: float = 0
    reply: bytes = b""


class Proxy:
    """Listens on a loopback port and passes bytes on to a server.

    Attributes:
        port: Where it listens.
        met: How many requests have met a fault.
        met_by: The same by the fault's name.
        arrived: How often the word EVALSHA came in, whatever it met then: each call once,
            and once more for each time that it was sent again.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._fault: Fault | None = None
        self._weather: _Weather | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")
        self.port = 0
        self.met = 0
        self.met_by: Counter[FaultName] = Counter()
        self.arrived = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    def arm(
        self,
        name: FaultName,
        *,
        pattern: bytes = b"EVALSHA",
        shots: int = 1,
        amount: float = 0,
        reply: bytes = b"",
    ) -> None:
        """Order a fault; it replaces the one before."""
        self._fault = Fault(name, pattern, shots, amount, reply)

    def storm(self, *faults: Fault, rate: float, seed: int) -> None:
        """Let requests meet one of several faults by chance, beside an armed one, until `calm`.

        Args:
            faults: Each meets the requests that contain its pattern; ``shots`` counts nothing.
            rate: Probability, 0..1, that a request meets one.
            seed: Of the choices: the same requests in the same order meet the same faults.
        """
        self._weather = _Weather(faults, rate, random.Random(seed))

    def calm(self) -> None:
        """Order no more faults. Connections that met one stay as they are."""
        self._fault = self._weather = None

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()
            await asyncio.gather(*self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        except OSError:
            writer.close()
            return
        link = _Link(self, reader, writer, up_reader, up_writer)
        coroutines = (link.requests(), link.replies(), self._stop.wait())
        pumps = [asyncio.ensure_future(one) for one in coroutines]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, up_writer):
                end.transport.abort()

    def take(self, request: bytes) -> Fault | None:
        """The fault that a request meets, which uses up one of its shots."""
        fault, weather = self._fault, self._weather
        if fault is not None and fault.shots and fault.pattern in request:
            fault.shots -= 1
        elif weather is not None:
            fault = weather.strike(request)
        else:
            return None
        if fault is not None:
            self.met += 1
            self.met_by[fault.name] += 1
        return fault


@dataclass(frozen=True)
class _Weather:
    """Faults by chance."""

    faults: tuple[Fault, ...]
    rate: float
    chance: random.Random

    def strike(self, request: bytes) -> Fault | None:
        fitting = [fault for fault in self.faults if fault.pattern in request]
        if not fitting or self.chance.random() >= self.rate:
            return None
        return self.chance.choice(fitting)


class _Link:
    """One client's connection and its other half to the server."""

    def __init__(
        self,
        proxy: Proxy,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._up_reader, self._up_writer = up_reader, up_writer
        self._fault: Fault | None = None

    async def requests(self) -> None:
        tail = b""
        while chunk := await self._reader.read(65536):
            # A read may end inside a word: its end is looked at again with the next.
            seen = tail + chunk
            self._proxy.arrived += seen.count(b"EVALSHA")
            tail = seen[-len(b"EVALSH") :]
            fault = self._proxy.take(chunk)
            if fault is not None and fault.name == "reset":
                # Linger 0: closing sends RST, not FIN.
                peer = self._writer.get_extra_info("socket")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if fault is not None and fault.name == "answer":
                self._writer.write(fault.reply)
                await self._writer.drain()
                continue
            self._fault = fault or self._fault
            self._up_writer.write(chunk)
            await self._up_writer.drain()

    async def replies(self) -> None:
        while chunk := await self._up_reader.read(65536):
            fault, amount = self._fault, 0.0 if self._fault is None else self._fault.amount
            if fault is not None and fault.name == "blackhole":
                continue
            if fault is not None and fault.name == "drop_reply":
                return
            if fault is not None and fault.name == "delay":
                self._fault = None
                await asyncio.sleep(amount)
            if fault is not None and fault.name == "cut":
                chunk = chunk[: int(amount)]
            self._writer.write(chunk)
            await self._writer.drain()
            if fault is not None and fault.name == "cut":
                # Let the first bytes leave before the connection is aborted.
                self._writer.write_eof()
                await asyncio.sleep(0.05)
                return
