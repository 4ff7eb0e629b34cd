"""Coalescing for asyncio: one connection that all calls of a client in one loop share.

Calls are written in the order in which they came and answered in that order. A call
that finds nothing on the way leaves at once; those made in one turn of the loop leave
together, and early where many wait, so that the server works while the rest is
written. No task reads the connection: a cancelled one, or one whose deadline passes,
leaves it as it is, and its reply is dropped when it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from redislua.runtime.connections import wire
from redislua.runtime.connections.line import CLOSED, LATE, parse_error_of, readable
from redislua.runtime.connections.product import Product
from redislua.runtime.steps import MOST_BYTES, MOST_CALLS, Lost, NotSent

__all__ = ["Lane"]

EARLY = 12
"""Waiting calls that are written without waiting for the end of the loop's turn."""

SILENCE = 0.25
"""Seconds without a byte after which a connection with an overdue call is given up."""


class _Unit:
    """One caller's write on its way.

    Attributes:
        packed: What to write.
        count: How many replies it brings.
        until: When its caller stops waiting.
        future: Where the caller waits: one reply for one command, else a list.
        replies: Those that came, of several; not there for one.
        sent: When it was written.
    """

    __slots__ = ("count", "future", "packed", "replies", "sent", "until")

    def __init__(
        self, packed: bytes, count: int, until: float, future: asyncio.Future[Any]
    ) -> None:
        self.packed = packed
        self.count = count
        self.until = until
        self.future = future
        self.sent = math.inf
        if count > 1:
            self.replies: list[Any] = []

    def came(self) -> list[Any]:
        """The replies of an unfinished write."""
        return self.replies if self.count > 1 else []


class Lane(asyncio.Protocol):
    """A connection that the client library opened, and that is ours from then on.

    Attributes:
        product: The server, once a script's ``@requires`` made us ask; else None.
        connection: The client library's.
    """

    def __init__(
        self,
        connection: Any,
        errors: ModuleType,
        loop: asyncio.AbstractEventLoop,
        retired: Callable[[Lane], None],
    ) -> None:
        """Take a connection over.

        Args:
            connection: Connected, with nothing on the way.
            errors: Exceptions of the client library.
            loop: The running loop.
            retired: Called once, when no further call may be sent here.
        """
        self.connection = connection
        self.product: Product | None = None
        self._errors = errors
        self._loop = loop
        self._retired: Callable[[Lane], None] | None = retired
        self._reader = wire.reader(parse_error_of(connection), errors)
        self._push = wire.push_type()
        self._queue: deque[_Unit] = deque()  # not written yet
        self._waiting: deque[_Unit] = deque()  # written, in the order of their replies
        self._calls = self._bytes = 0  # of those
        self._queued = 0  # bytes of the queue
        self._sweep_at = MOST_BYTES
        self._check: asyncio.Future[Any] | None = None
        self._last = 1  # calls of the last write
        self._is_scheduled = False
        self._is_paused = False
        self._heard = time.monotonic()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf
        self._transport: Any = connection._writer.transport  # noqa: SLF001
        self._poll = readable(self._transport.get_extra_info("socket"))
        self._transport.set_protocol(self)

    # --- for the pool ------------------------------------------------------------------------

    def is_ready(self) -> bool:
        """Whether calls may be sent without so much as a PING before them."""
        if self._waiting:
            return self._retired is not None and self._check is None
        return self.is_fresh() and not self.is_due()

    def is_fresh(self) -> bool:
        """Whether it is open, and nothing was said or ended while nobody asked."""
        if self._retired is None or self._transport.is_closing():
            return False
        return bool(self._waiting) or not (self._poll(0) or self._reader.has_data())

    def is_due(self) -> bool:
        """Whether the client wants a PING answered before a connection idle for so long is used."""
        if self._check is not None:
            return True
        interval = self.connection.health_check_interval
        return bool(interval and not self._waiting) and time.monotonic() - self._heard > interval

    def check(self, until: float) -> asyncio.Future[Any]:
        """Send a PING, one for all who wait for its answer. Awaiting it directly cancels it."""
        if self._check is None:
            self._check = self.submit(wire.pack([("PING",)]), 1, until)
            self._check.add_done_callback(self._checked)
        return self._check

    def submit(self, packed: bytes, count: int, until: float) -> asyncio.Future[Any]:
        """Queue a write.

        Returns:
            A future of one reply, or of a list where ``count`` is more than one. It fails
            with `NotSent` or `Lost`. Cancelling it touches no other.

        Raises:
            NotSent: The connection was given up.
        """
        if self._retired is None:
            raise NotSent(self._errors.ConnectionError(CLOSED))
        future = self._loop.create_future()
        self._queue.append(_Unit(packed, count, until, future))
        self._queued += len(packed)
        if self._queued > self._sweep_at:
            self._sweep()
        if until < self._alarm_at:
            self._set_alarm(until)
        if self._is_scheduled:
            if len(self._queue) >= EARLY:
                self._write()
        elif not self._waiting and self._last == 1:
            self._write()
        else:
            self._is_scheduled = True
            self._loop.call_soon(self._write_scheduled)
        return future

    def retire(self) -> None:
        """Take no further call; close as soon as those that were written have ended."""
        retired, self._retired = self._retired, None
        if retired is None:
            return
        retired(self)
        self._give_up(TimeoutError("the connection was given up"))
        if all(unit.future.done() for unit in self._waiting):
            self.abort()

    def abort(self) -> None:
        """Close at once; what was written is lost."""
        self._transport.abort()
        self.connection._close()  # noqa: SLF001 - or its __del__ warns

    # --- for the transport -------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Give replies to those who wait for them."""
        self._heard = time.monotonic()
        waiting, push = self._waiting, self._push
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not wire.NOTHING:
                if isinstance(reply, push):
                    continue
                unit = waiting[0]
                if unit.count > 1:
                    unit.replies.append(reply)
                    if len(unit.replies) < unit.count:
                        continue
                    reply = unit.replies
                waiting.popleft()
                self._calls -= unit.count
                self._bytes -= len(unit.packed)
                if not unit.future.done():
                    unit.future.set_result(reply)
        except Exception as error:
            # A reply to nothing, no RESP at all, or a reply that no Python object can hold:
            # nothing that follows can be trusted.
            self._end(self._errors.ConnectionError(f"not to be read: {error!r}"))
            return
        if self._retired is None and not waiting:
            self.abort()
        elif self._queue and not self._is_scheduled:
            self._write()

    def eof_received(self) -> None:
        """Let the transport close."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait that their replies will not come."""
        self._end(exc or self._errors.ConnectionError(CLOSED))

    def pause_writing(self) -> None:
        """The socket takes no more: what is not written waits, and is known not to be sent."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._is_paused = False
        self._write()

    # --- within ------------------------------------------------------------------------------

    def _write_scheduled(self) -> None:
        self._is_scheduled = False
        self._write()

    def _write(self) -> None:
        """Write what one batch holds, oldest first, unless a batch is on its way already."""
        if self._transport.is_closing():
            return  # it would take the bytes and drop them
        queue = self._queue
        packed: list[bytes] = []
        calls, size = self._calls, self._bytes
        now = time.monotonic()
        while queue and not self._is_paused:
            unit = queue[0]
            if unit.future.done() or unit.until <= now:  # its caller left before it was sent
                self._unqueue()
                if not unit.future.done():
                    unit.future.set_exception(NotSent(TimeoutError(LATE)))
                continue
            calls += unit.count
            size += len(unit.packed)
            if (calls > MOST_CALLS or size > MOST_BYTES) and (self._waiting or packed):
                break
            self._unqueue()
            unit.sent = now
            self._calls, self._bytes = calls, size
            self._waiting.append(unit)
            packed.append(unit.packed)
        if packed:
            self._last = len(packed)
            self._transport.write(packed[0] if len(packed) == 1 else b"".join(packed))

    def _unqueue(self) -> None:
        self._queued -= len(self._queue.popleft().packed)

    def _sweep(self) -> None:
        """Forget what is queued for callers that left: it may be large."""
        self._queue = deque(unit for unit in self._queue if not unit.future.done())
        self._queued = sum(len(unit.packed) for unit in self._queue)
        self._sweep_at = max(MOST_BYTES, 2 * self._queued)

    def _checked(self, check: asyncio.Future[Any]) -> None:
        self._check = None
        if not check.cancelled():
            check.exception()  # whoever waited has looked at it

    def _set_alarm(self, until: float) -> None:
        """One timer serves all deadlines: the earliest."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = until
        self._alarm = self._loop.call_later(max(until - time.monotonic(), 0.0), self._ring)

    def _ring(self) -> None:
        """End what is overdue; give the connection up if it has said nothing since."""
        self._alarm, self._alarm_at = None, math.inf
        now = time.monotonic()
        is_silent = False
        quiet = now - self._heard > SILENCE
        for unit in self._waiting:
            if unit.until <= now and not unit.future.done():
                unit.future.set_exception(Lost(TimeoutError("no reply in time"), unit.came()))
                is_silent = is_silent or quiet or self._heard < unit.sent
        for unit in self._queue:
            if unit.until <= now and not unit.future.done():
                unit.future.set_exception(NotSent(TimeoutError(LATE)))
                is_silent = is_silent or (quiet and bool(self._waiting))
        left = [one.until for one in (*self._waiting, *self._queue) if not one.future.done()]
        if left:
            self._set_alarm(min(left))
        if is_silent:
            self.retire()
        if self._retired is None and not left:
            self.abort()

    def _end(self, cause: Exception) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm, self._alarm_at = None, math.inf
        for unit in self._waiting:
            if not unit.future.done():
                unit.future.set_exception(Lost(cause, unit.came()))
        self._waiting.clear()
        self._give_up(cause)
        self.retire()
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the transport with it
            self.abort()

    def _give_up(self, cause: Exception) -> None:
        for unit in self._queue:
            if not unit.future.done():
                unit.future.set_exception(NotSent(cause))
        self._queue.clear()
        self._queued = 0
