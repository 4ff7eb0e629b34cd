"""Blocking connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from redislua.runtime.connections.line import LATE, Connections, Line, refusals
from redislua.runtime.connections.product import ANY, HELLO, Requires, product_of
from redislua.runtime.plan import Command, Lost, NotSent


class BlockingLine(Line):
    """One blocking connection."""

    __slots__ = ("_socket",)

    def __init__(self, connection: Any, errors: ModuleType) -> None:
        self._socket = connection._sock  # noqa: SLF001 - its one name in both libraries
        super().__init__(connection, self._socket, errors)

    def is_fresh(self, until: float) -> bool:
        """Nothing unread, no end of file, and a PING answered where the client asks for it."""
        if self.poll(0):
            return False
        if self.connection.health_check_interval:
            self._socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                self.connection.check_health()
            except refusals(self._errors):
                return False
        return True

    def exchange(self, commands: Sequence[Command], until: float) -> list[Any]:
        packed = self.pack(commands)
        left = until - time.monotonic()
        if left <= 0:
            raise NotSent(TimeoutError(LATE))
        # Set on the socket, the time left bounds writing too, and valkey-py's
        # read_response, which has no timeout of its own.
        self._socket.settimeout(left)
        replies: list[Any] = []
        try:
            self.connection.send_packed_command(packed, check_health=False)
            for _ in commands:
                replies.append(self._reply())  # noqa: PERF401 - what came before an error counts
        except Exception as error:
            self.end(replies, commands, error)
        return replies

    def _reply(self) -> Any:
        try:
            # The connection stays open on an error reply: more replies may follow it.
            return self.connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except self._errors.ResponseError as error:
            return error


class Pool(Connections[BlockingLine]):
    """The connections of one blocking client. Threads may share it."""

    def exchange(
        self, commands: Sequence[Command], until: float, requires: Requires = ANY
    ) -> list[Any]:
        """Write commands and read one reply for each, an error reply as an exception value.

        Args:
            commands: What to write.
            until: When to stop waiting, on ``time.monotonic``.
            requires: Which servers will do; each connection asks for its own once.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived; the connection is closed.
        """
        line = self._lease(until)
        if requires:
            self._identify(line, until)
            self._admit(line, requires)
        try:
            replies = line.exchange(commands, until)
        except BaseException:
            self._drop(line)
            raise
        if line.spent:
            self._drop(line)
        else:
            self.idle.append(line)
        return replies

    def _identify(self, line: BlockingLine, until: float) -> None:
        try:
            line.product = line.product or product_of(line.exchange([HELLO], until)[0])
        except BaseException as error:
            self._drop(line)
            if isinstance(error, Lost):  # of HELLO; of the call nothing was sent
                raise NotSent(error.cause) from error
            raise

    def close(self) -> None:
        """Close the idle connections."""
        while self.idle:
            self._drop(self.idle.pop())

    def forget(self) -> None:
        """Start afresh in a child process, where disconnecting leaves the parent's socket open."""
        self._lock = threading.Lock()
        self._made = 0
        self.idle.clear()

    def _lease(self, until: float) -> BlockingLine:
        while True:
            try:
                line = self.idle.pop()
            except IndexError:
                return self._connect(until)
            if line.is_fresh(until):
                return line
            self._drop(line)

    def _connect(self, until: float) -> BlockingLine:
        connection = self._new(until)
        try:
            connection.connect()
            return BlockingLine(connection, self._errors)
        except BaseException as error:
            self._gone()
            connection.disconnect()
            if isinstance(error, refusals(self._errors)):
                raise NotSent(error) from error
            raise

    def _drop(self, line: BlockingLine) -> None:
        self._gone()
        line.connection.disconnect()
