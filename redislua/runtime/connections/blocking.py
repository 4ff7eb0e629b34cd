"""Blocking connections: one call, or one batch, at a time on each."""

from __future__ import annotations

import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

from redislua.runtime.call import Call
from redislua.runtime.connections import wire
from redislua.runtime.connections.line import (
    CLOSED,
    LATE,
    Connections,
    Line,
    Source,
    parse_error_of,
    refusals,
)
from redislua.runtime.connections.product import HELLO, product_of
from redislua.runtime.connections.threads import Coalescer
from redislua.runtime.settings import Settings
from redislua.runtime.steps import Address, Command, Lost, NotSent, Outcome, Requires, Send

__all__ = ["BlockingLine", "Pool", "begun", "finished"]

READ_BYTES = 65536

SOLO = 8
"""Connections that calls have to themselves; what comes while all are out is coalesced."""


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
        name = "EVALSHA_RO" if read_only else "EVALSHA"
        return self.pack([(name, call.script.sha1, len(call.keys), *call.keys, *call.args)])

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
            raise TimeoutError("no reply before the deadline")
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


class Exchange(Protocol):
    """A write that was made, and whose replies are still to be read."""

    def finish(self) -> list[Any]:
        """Read one reply for each command; raises `Lost`, or `NotSent` where it never left."""


class _Solo:
    """An exchange on a connection that it has to itself."""

    __slots__ = ("_count", "_line", "_pool", "_until")

    def __init__(self, pool: Pool, line: BlockingLine, count: int, until: float) -> None:
        self._pool, self._line, self._count, self._until = pool, line, count, until

    def finish(self) -> list[Any]:
        try:
            replies = self._line.read(self._count, self._until)
        except BaseException:
            self._pool.drop(self._line)
            raise
        self._pool.free(self._line)
        return replies


class Pool(Connections[BlockingLine]):
    """The connections to one server of one blocking client. Threads may share it."""

    topology = None

    def __init__(
        self, source: Source, errors: ModuleType, settings: Settings, *, replica: bool = False
    ) -> None:
        super().__init__(source, errors, settings, replica=replica)
        self._coalescer = Coalescer(self)
        self._is_closed = False

    def way(self, call: Call[Any]) -> tuple[None, bool]:
        """To the one server, as a primary."""
        del call
        return None, False

    def known_by(self, to: Address | None) -> set[str]:
        """Digests of the scripts that the server is believed to have."""
        del to
        return self.known

    def first(self, call: Call[Any], until: float, *, read_only: bool = False) -> Any:
        """Send EVALSHA and return its reply: the whole of nearly every call.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived; the connection is closed.
        """
        line = self._lease(until)
        if line is None:
            packed = wire.evalsha(call, read_only=read_only)
            return self._coalescer.submit(packed, 1, until).finish()[0]
        try:
            reply = line.ask(line.pack_call(call, read_only=read_only), until)
        except BaseException:
            self.drop(line)
            raise
        self.free(line)
        return reply

    def exchange(self, send: Send, until: float) -> list[Any]:
        """Write commands and read one reply for each, an error reply as an exception value.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived; the connection is closed.
        """
        return self.begin(send, until).finish()

    def exchange_all(self, sends: Sequence[Send], until: float) -> list[Outcome]:
        """Make several exchanges, one after another: there is one server."""
        return finished([begun(self, send, until) for send in sends])

    def begin(self, send: Send, until: float) -> Exchange:
        """Write commands."""
        if send.within is not None:
            until = min(until, time.monotonic() + send.within)
        line = self._lease_of(until, send.requires) if send.requires else self._lease(until)
        if line is None:
            return self._coalescer.submit(wire.pack(send.commands), len(send.commands), until)
        try:
            line.write(line.pack(send.commands), until)
        except BaseException:
            self.drop(line)
            raise
        return _Solo(self, line, len(send.commands), until)

    def renew(self, to: Address | None = None) -> None:
        """Give up the connections that no call is on: what follows looks the server up again."""
        del to
        self._coalescer.renew()
        while self.idle:
            self.drop(self.idle.pop())

    def close(self) -> None:
        """Close the idle connections, and each other one when its call ends."""
        self._is_closed = True
        self.renew()

    def forget(self) -> None:
        """Start afresh in a child process, where disconnecting leaves the parent's socket open."""
        # Re-entrant: a collected client's pool is closed by whoever triggers the collection.
        self._lock = threading.RLock()
        self._made = 0
        self.idle.clear()
        self._coalescer = Coalescer(self)

    def take(self, until: float) -> BlockingLine:
        """Return an idle connection that is sound, or a new one."""
        while True:
            try:
                line = self.idle.pop()
            except IndexError:
                return self.connect(until)
            if line.is_fresh(until):
                return line
            self.drop(line)

    def connect(self, until: float) -> BlockingLine:
        """Open a connection."""
        connection = self._new(until)
        try:
            connection.connect()
            if self._replica:
                connection.send_command("READONLY")
                connection.read_response()
            kind = DirectLine if wire.IS_FAST else BlockingLine
            return kind(connection, self._errors)
        except BaseException as error:
            self._gone()
            connection.disconnect()
            if isinstance(error, refusals(self._errors)):
                raise NotSent(error) from error
            raise

    def free(self, line: BlockingLine) -> None:
        """Take back a connection whose replies were all read."""
        if line.spent or self._is_closed:
            self.drop(line)
        else:
            self.idle.append(line)

    def give_up(self, line: BlockingLine) -> None:
        """Let another one take the place of a connection that calls still wait on."""
        line.spent, line.is_counted = True, False
        self._gone()

    def give_back(self, line: BlockingLine) -> None:
        """Take back the shared connection, unless callers have as many of their own as may be."""
        if line.spent or self._made > self._solo():
            self.drop(line)
        else:
            self.free(line)

    def drop(self, line: BlockingLine) -> None:
        """Close a connection."""
        if line.is_counted:
            self._gone()
        line.connection.disconnect()

    def _lease(self, until: float) -> BlockingLine | None:
        """Take a connection for one call alone, or None: the call is to be coalesced."""
        if self._coalescer.is_busy and self.settings.coalesce and self._coalescer.is_flowing():
            return None
        while True:
            try:
                line = self.idle.pop()
            except IndexError:
                return None if self._made >= self._solo() else self.connect(until)
            if line.is_fresh(until):
                return line
            self.drop(line)

    def _lease_of(self, until: float, requires: Requires) -> BlockingLine:
        """Take a connection to a server that will do."""
        line = self.take(until)
        self._identify(line, until)
        refused = self._refused(line.product, requires)
        if refused is not None:
            self.idle.append(line)
            raise refused
        return line

    def _solo(self) -> float:
        """How many connections may be open before calls share one."""
        if not self.settings.coalesce or not wire.IS_FAST:
            return math.inf
        most = self._source.max_connections - 1
        return min(SOLO, most) if most > 0 else math.inf

    def _identify(self, line: BlockingLine, until: float) -> None:
        if line.product is not None:
            return
        try:
            line.write(line.pack([HELLO]), until)
            line.product = product_of(line.read(1, until)[0])
        except BaseException as error:
            self.drop(line)
            if isinstance(error, Lost):  # of HELLO; of the call nothing was sent
                raise NotSent(error.cause) from error
            raise


class _Ended:
    """An exchange that ended before its replies were asked for."""

    __slots__ = ("_failure",)

    def __init__(self, failure: NotSent | Lost) -> None:
        self._failure = failure

    def finish(self) -> list[Any]:
        raise self._failure


def begun(pool: Pool, send: Send, until: float) -> Exchange:
    """Begin an exchange; a failure to begin is told when it is finished."""
    try:
        return pool.begin(send, until)
    except (NotSent, Lost) as failure:
        return _Ended(failure)


def finished(exchanges: Sequence[Exchange]) -> list[Outcome]:
    """Finish exchanges that were all begun before."""
    outcomes: list[Outcome] = []
    for exchange in exchanges:
        try:
            outcomes.append(exchange.finish())
        except (NotSent, Lost) as failure:
            outcomes.append(failure)
    return outcomes


def _named(error: Exception) -> Exception:
    """What the kernel's timeout is called: EAGAIN says nothing to a reader."""
    if isinstance(error, BlockingIOError):
        return TimeoutError("no reply before the deadline")
    return error


def _has_kernel_timeouts(sock: Any) -> bool:
    plain = type(sock) is socket.socket and type(sock).__module__ == "socket"
    return plain and sys.platform in ("linux", "darwin") and struct.calcsize("l") == 8
