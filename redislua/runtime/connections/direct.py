"""One blocking connection, read by the client library's parser or by a reader of our own."""

from __future__ import annotations

import math
import socket
import struct
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from redislua.runtime.call import Call
from redislua.runtime.connections import wire
from redislua.runtime.connections.line import CLOSED, LATE, Line, parse_error_of, refusals
from redislua.runtime.plan import evalsha
from redislua.runtime.steps import Command, Lost, NotSent

__all__ = ["BlockingLine", "DirectLine"]

READ_BYTES = 65536


class BlockingLine(Line):
    """One blocking connection, read by the client library's own parser."""

    __slots__ = ("_interval", "_socket", "_used")

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        self._socket = connection._sock  # noqa: SLF001 - its one name in both libraries
        self._interval = connection.health_check_interval
        self._used = time.monotonic()
        super().__init__(connection, self._socket, errors)

    def is_fresh(self, until: float) -> bool:
        """Nothing unread, no end of file, and a PING answered where the client asks for it."""
        if self.poll(0) or not self.is_clean():
            return False
        if self._interval and time.monotonic() - self._used > self._interval:
            try:
                self.write(self.pack([("PING",)]), until)
                self.read(1, until)
            except (NotSent, Lost):
                return False
        return True

    def is_clean(self) -> bool:
        """Whether every byte that was read has been given to somebody."""
        try:
            return not self.connection.can_read(0)
        except refusals(self._errors):
            return False

    def pack(self, commands: Sequence[Command]) -> Any:
        if len(commands) == 1:
            return self.connection.pack_command(*commands[0])
        return self.connection.pack_commands(commands)

    def pack_call(self, call: Call[Any], *, read_only: bool) -> Any:
        return self.pack([evalsha(call, read_only=read_only)])

    def write(self, packed: Any, until: float) -> None:
        """Write; what fails half way may have been delivered."""
        left = until - time.monotonic()
        if left <= 0:
            raise NotSent(TimeoutError(LATE))
        try:
            self._bound(left)
            self._send(packed, until)
        except Exception as error:
            raise Lost(_named(error)) from error

    def ask(self, packed: Any, until: float) -> Any:
        """Write one command and read its reply."""
        self.write(packed, until)
        return self.read(1, until)[0]

    def read(self, count: int, until: float) -> list[Any]:
        """Read replies, an error reply as an exception value."""
        replies: list[Any] = []
        try:
            while len(replies) < count:
                self._bound(self._left(until))
                replies.append(self._reply())
        except Exception as error:
            reply = self.reply(error, last=len(replies) + 1 == count)
            if reply is None:
                raise Lost(_named(error), replies) from error
            replies.append(reply)
        self._used = time.monotonic()
        return replies

    def _send(self, packed: Any, until: float) -> None:
        del until  # Python's own timeout bounds the whole of it
        self.connection.send_packed_command(packed, check_health=False)

    def _reply(self) -> Any:
        try:
            # The connection stays open on an error reply: more replies may follow it.
            return self.connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except self._errors.ResponseError as error:
            return error

    def _bound(self, left: float) -> None:
        # Set on the socket, the time left bounds writing too, and valkey-py's
        # read_response, which has no timeout of its own.
        self._socket.settimeout(left)

    def _left(self, until: float) -> float:
        left = until - time.monotonic()
        if left <= 0:
            if not self.poll(0):
                raise TimeoutError("no reply before the deadline")
            return 0.001  # it came while another connection was waited for
        return left


class DirectLine(BlockingLine):
    """One blocking connection, read by a hiredis reader of our own."""

    __slots__ = ("_feed", "_gets", "_has_data", "_kernel_ms", "_push", "_recv")

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        super().__init__(connection, errors)
        reader = wire.reader(parse_error_of(connection), errors)
        self._feed, self._gets, self._has_data = reader.feed, reader.gets, reader.has_data
        self._push = wire.push_type()
        self._recv = self._socket.recv
        # The kernel's own timeouts save two calls to poll and one to ioctl for each call.
        # TLS reads through a layer that knows Python's timeouts alone, and so do sockets
        # that are not the standard library's.
        self._kernel_ms = 0 if _has_kernel_timeouts(self._socket) else -1
        if self._kernel_ms == 0:
            self._socket.settimeout(None)

    def is_clean(self) -> bool:
        return not self._has_data()

    def pack(self, commands: Sequence[Command]) -> Any:
        return wire.pack(commands)

    def pack_call(self, call: Call[Any], *, read_only: bool) -> Any:
        return wire.evalsha(call, read_only=read_only)

    def ask(self, packed: Any, until: float) -> Any:
        self.write(packed, until)
        try:
            # What bounded the write bounds this wait too: the two are one round trip.
            chunk = self._recv(READ_BYTES)
            if chunk:
                self._feed(chunk)
                reply = self._gets()
                if reply is not wire.NOTHING and not isinstance(reply, self._push):
                    if self._interval:
                        self._used = time.monotonic()
                    return reply
        except Exception as error:
            raise Lost(_named(error)) from error
        return self.read(1, until)[0]  # there is more to come, or the connection's end

    def read(self, count: int, until: float) -> list[Any]:
        replies: list[Any] = []
        gets = self._gets
        try:
            while True:
                reply = gets()
                if reply is wire.NOTHING:
                    self._bound(self._left(until))
                    chunk = self._recv(READ_BYTES)
                    if not chunk:
                        raise self._errors.ConnectionError(CLOSED)
                    self._feed(chunk)
                elif not isinstance(reply, self._push):
                    replies.append(reply)
                    if len(replies) == count:
                        break
        except Exception as error:
            raise Lost(_named(error), replies) from error
        if self._interval:
            self._used = time.monotonic()
        return replies

    def _send(self, packed: Any, until: float) -> None:
        sent = self._socket.send(packed)
        while sent < len(packed):  # each send has a wait of its own
            packed = memoryview(packed)[sent:]
            self._bound(self._left(until))
            sent = self._socket.send(packed)

    def _bound(self, left: float) -> None:
        if self._kernel_ms < 0:
            self._socket.settimeout(left)
            return
        ms = math.ceil(left * 1000)
        if ms != self._kernel_ms:
            timeval = struct.pack("ll", ms // 1000, ms % 1000 * 1000)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
            self._kernel_ms = ms


def _named(error: Exception) -> Exception:
    """What the kernel's timeout is called: EAGAIN says nothing to a reader."""
    if isinstance(error, BlockingIOError):
        return TimeoutError("no reply before the deadline")
    return error


def _has_kernel_timeouts(sock: Any) -> bool:
    plain = type(sock) is socket.socket and type(sock).__module__ == "socket"
    return plain and sys.platform in ("linux", "darwin") and struct.calcsize("l") == 8
