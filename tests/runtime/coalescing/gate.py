"""A relay before a server that keeps replies back until it is told to let them pass."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self


class Gate:
    """Listens on a loopback port and passes bytes on to a server.

    Attributes:
        port: Where it listens.
        arrived: How many calls came in: the word EVALSHA, once for each time it was sent.
        opened: How many connections were opened.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._loop = asyncio.new_event_loop()
        self._links: dict[asyncio.Task[None], _Link] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gate")
        self.port = 0
        self.arrived = 0
        self.opened = 0

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

    @property
    def kept(self) -> int:
        """How many bytes of replies are kept back."""
        return sum(link.kept for link in list(self._links.values()))

    def shut(self) -> None:
        """Keep replies back on the connections that are open now; requests still pass."""
        self._do(self._shut)

    def leak(self, size: int) -> None:
        """Let so many bytes pass of what the connection opened last keeps back."""
        self._do(lambda: self._leak(size))

    def open(self) -> None:
        """Let replies pass, those that were kept back included."""
        self._do(self._open)

    def cut(self) -> None:
        """Reset every connection; replies that were kept back are lost."""
        self._do(self._cut)

    def _do(self, what: Callable[[], object]) -> None:
        done = threading.Event()

        def do() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(do)
        done.wait()

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
            tasks = list(self._links)
            self._cut()
            await asyncio.gather(*tasks)

    def _shut(self) -> None:
        for link in self._links.values():
            link.is_open = False

    def _leak(self, size: int) -> None:
        list(self._links.values())[-1].leak(size)

    def _open(self) -> None:
        for link in self._links.values():
            link.is_open = True
            link.leak(link.kept)

    def _cut(self) -> None:
        for task, link in self._links.items():
            # Linger 0: closing sends RST, not FIN.
            peer = link.writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.opened += 1
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        link = self._links[task] = _Link(self, writer)
        pumps = [
            asyncio.ensure_future(link.requests(reader, up_writer)),
            asyncio.ensure_future(link.replies(up_reader)),
        ]
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        del self._links[task]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (writer, up_writer):
            end.transport.abort()


class _Link:
    """One client's connection."""

    def __init__(self, gate: Gate, writer: asyncio.StreamWriter) -> None:
        self._gate = gate
        self._kept = b""
        self.writer = writer
        self.is_open = True

    @property
    def kept(self) -> int:
        return len(self._kept)

    async def requests(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        tail = b""
        while chunk := await reader.read(65536):
            # A read may end inside a word: its end is looked at again with the next.
            seen = tail + chunk
            tail = seen[-len(b"EVALSH") :]
            up.write(chunk)
            await up.drain()
            self._gate.arrived += seen.count(b"EVALSHA")

    async def replies(self, up: asyncio.StreamReader) -> None:
        while chunk := await up.read(65536):
            self._kept += chunk
            if self.is_open:
                self.leak(self.kept)
            await self.writer.drain()

    def leak(self, size: int) -> None:
        self.writer.write(self._kept[:size])
        self._kept = self._kept[size:]
