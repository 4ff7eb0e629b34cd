"""The connections of one blocking client: some for one call at a time each, one for the rest."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

from redislua.runtime.call import Call
from redislua.runtime.connections import wire
from redislua.runtime.connections.direct import BlockingLine, DirectLine
from redislua.runtime.connections.line import Connections, Enough, Source, refusals
from redislua.runtime.connections.product import HELLO, product_of
from redislua.runtime.connections.threads import Coalescer
from redislua.runtime.settings import Settings
from redislua.runtime.steps import Address, Lost, NotSent, Outcome, Requires, Send

__all__ = ["Exchange", "Pool", "exchanged"]

SOLO = 8
"""Connections that calls have to themselves; what comes while all are out is coalesced."""


class Exchange(Protocol):
    """A write that was made, and whose replies are still to be read."""

    def finish(self) -> list[Any]:
        """Read one reply for each command; raises `Lost`, or `NotSent` where it never left."""

    def abandon(self) -> None:
        """Read nothing: the caller was interrupted."""


class _Solo:
    """An exchange on a connection that it has to itself."""

    __slots__ = ("_count", "_line", "_pool", "_until")

    def __init__(self, pool: Pool, line: BlockingLine, count: int, until: float) -> None:
        self._pool, self._line, self._count, self._until = pool, line, count, until

    def finish(self) -> list[Any]:
        try:
            replies = self._line.read(self._count, self._until)
        except BaseException:
            self.abandon()
            raise
        self._pool.free(self._line)
        return replies

    def abandon(self) -> None:
        self._pool.drop(self._line)


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
        return exchanged([(self, send) for send in sends], until)

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
            try:
                line = self.idle.pop()
            except IndexError:  # another thread took the last one
                break
            self.drop(line)

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
            if self._is_fresh(line, until):
                return line
            self.drop(line)

    def connect(self, until: float, *, most: float = math.inf) -> BlockingLine:
        """Open a connection, unless there are ``most`` already: then `Enough` is raised."""
        connection = self._new(until, most)
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
                try:
                    return self.connect(until, most=self._solo())
                except Enough:
                    return None
            if self._is_fresh(line, until):
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

    def _is_fresh(self, line: BlockingLine, until: float) -> bool:
        try:
            return line.is_fresh(until)
        except BaseException:  # interrupted while a PING was on its way
            self.drop(line)
            raise

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

    def abandon(self) -> None:
        pass


def exchanged(writes: Sequence[tuple[Pool, Send]], until: float) -> list[Outcome]:
    """Make several exchanges: write everything, then read the replies, both in this order."""
    begun: deque[Exchange] = deque()
    try:
        for pool, send in writes:
            begun.append(_begun(pool, send, until))
        outcomes: list[Outcome] = []
        while begun:
            outcomes.append(_outcome(begun.popleft()))
    except BaseException:  # interrupted: what is not read yet must not meet another call
        for exchange in begun:
            exchange.abandon()
        raise
    return outcomes


def _begun(pool: Pool, send: Send, until: float) -> Exchange:
    try:
        return pool.begin(send, until)
    except (NotSent, Lost) as failure:
        return _Ended(failure)  # told when it is its turn


def _outcome(exchange: Exchange) -> Outcome:
    try:
        return exchange.finish()
    except (NotSent, Lost) as failure:
        return failure
