"""Coalescing for threads: calls that find every connection taken share one write.

They queue, and one thread of the pool's own takes what is there, at most 256 calls and 1 MiB,
writes it at once and gives each call its replies; what comes meanwhile travels in the
next write. The thread starts when it is first needed and ends when it has been idle for a
while, so a pool whose connections suffice never has one. No caller reads the shared
connection: an interrupted one, or one whose deadline passes, leaves it as it is.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import Any, Protocol

from redislua.runtime.connections.line import LATE
from redislua.runtime.steps import MOST_BYTES, MOST_CALLS, Lost, NotSent

__all__ = ["Coalescer", "Lines", "Unit"]

IDLE = 1.0
"""Seconds without a call after which the thread ends."""


class Lines(Protocol):
    """Where the thread has its connection from."""

    def take(self, until: float) -> Any:
        """Return an idle connection or a new one; raises `NotSent`."""

    def free(self, line: Any) -> None:
        """Take it back."""

    def drop(self, line: Any) -> None:
        """Close it."""


class Unit:
    """One caller's write on its way: bytes, and in the end replies or a failure.

    Attributes:
        packed: What to write.
        count: How many replies it brings.
        until: When its caller leaves, on ``time.monotonic``.
        worker: Who wrote it; None until then.
        left: Whether its caller has gone.
    """

    __slots__ = (
        "_coalescer",
        "_ended",
        "_failure",
        "_replies",
        "count",
        "left",
        "packed",
        "until",
        "worker",
    )

    def __init__(self, coalescer: Coalescer, packed: bytes, count: int, until: float) -> None:
        self.packed = packed
        self.count = count
        self.until = until
        self.worker: _Worker | None = None
        self.left = False
        self._coalescer = coalescer
        self._replies: list[Any] = []
        self._failure: NotSent | Lost | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def finish(self) -> list[Any]:
        """Wait for the replies, until the deadline and no longer.

        Raises:
            NotSent: No byte left.
            Lost: It was written, and its replies did not come.
        """
        in_time = False
        try:
            in_time = self._ended.acquire(timeout=max(self.until - time.monotonic(), 0.0))
        finally:
            if not in_time:
                self._coalescer.leave(self)
        if self._failure is not None:
            raise self._failure
        return self._replies

    def end(self, replies: list[Any]) -> None:
        """Give the caller its replies."""
        if not self.left:
            self._replies = replies
            self._ended.release()

    def fail(self, failure: NotSent | Lost) -> None:
        """Give the caller a failure."""
        if not self.left:
            self._failure = failure
            self._ended.release()

    def leave(self) -> None:
        """Say to a caller that waits no longer what became of its write."""
        self.left = True
        if self._ended.acquire(blocking=False):
            return  # it ended in the meantime
        if self.worker is None:
            self._failure = NotSent(TimeoutError(LATE))
        else:
            self._failure = Lost(TimeoutError("no reply before the deadline"))


class Coalescer:
    """The queue of one pool, and the thread that empties it."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.queue: queue.SimpleQueue[Unit] = queue.SimpleQueue()
        self.held: deque[Unit] = deque()  # taken from the queue, and too big for their write
        # Re-entrant: a collected client's pool is closed by whoever triggers the collection.
        self.lock = threading.RLock()
        self.is_busy = False
        self._worker: _Worker | None = None

    def submit(self, packed: bytes, count: int, until: float) -> Unit:
        """Queue a write."""
        unit = Unit(self, packed, count, until)
        self.queue.put(unit)
        if self._worker is None:
            self._start()
        return unit

    def leave(self, unit: Unit) -> None:
        """Let a caller go whose deadline passed or who was interrupted."""
        with self.lock:
            unit.leave()
            worker = unit.worker
            # Not one byte since its write: those who come later wait on a new connection,
            # and those who are on this one keep it until their own deadlines.
            if worker is not None and worker is self._worker and not worker.heard:
                self._replace()

    def renew(self) -> None:
        """Use a new connection from the next write on."""
        with self.lock:
            if self._worker is not None:
                self._replace()

    def is_current(self, worker: _Worker) -> bool:
        """Whether a thread goes on."""
        return self._worker is worker

    def retire(self, worker: _Worker) -> bool:
        """Let an idle thread end; False if a call just came."""
        with self.lock:
            if self._worker is worker:
                if self._has_work():
                    return False
                self._worker = None
            return True

    def _has_work(self) -> bool:
        return bool(self.held) or not self.queue.empty()

    def _replace(self) -> None:
        """Have another thread go on; the one before ends with what it has written."""
        self._worker = None
        if self._has_work():
            self._begin()

    def _start(self) -> None:
        with self.lock:
            if self._worker is None:
                self._begin()

    def _begin(self) -> None:
        self._worker = _Worker(self)
        threading.Thread(target=self._worker.run, name="redislua", daemon=True).start()


class _Worker:
    """One thread and its connection.

    Attributes:
        heard: Whether a reply came since the last write.
    """

    def __init__(self, coalescer: Coalescer) -> None:
        self.heard = True
        self._coalescer = coalescer
        self._line: Any = None

    def run(self) -> None:
        """Empty the queue until there is nothing to do, or another thread does it."""
        coalescer = self._coalescer
        while coalescer.is_current(self):
            units = self._take()
            try:
                if units:
                    coalescer.is_busy = True
                    self._exchange(units)
                    coalescer.is_busy = not coalescer.queue.empty()
                elif coalescer.retire(self):
                    break
            except BaseException as error:
                self._drop()
                for unit in units:  # those that have ended take no notice
                    unit.fail(Lost(RuntimeError(f"the thread ended: {error!r}")))
                coalescer.renew()
                raise
        if self._line is not None:
            coalescer.lines.free(self._line)

    def _take(self) -> list[Unit]:
        """Wait for a call; return what one write holds, oldest first."""
        coalescer = self._coalescer
        units: list[Unit] = []
        calls = size = 0
        try:
            while True:
                if coalescer.held:
                    unit = coalescer.held.popleft()
                elif units:
                    unit = coalescer.queue.get_nowait()
                else:
                    unit = coalescer.queue.get(timeout=IDLE)
                calls += unit.count
                size += len(unit.packed)
                if units and (calls > MOST_CALLS or size > MOST_BYTES):
                    coalescer.held.append(unit)
                    break
                units.append(unit)
        except queue.Empty:
            pass
        return units

    def _exchange(self, units: list[Unit]) -> None:
        until = max(unit.until for unit in units)
        try:
            line = self._connected(until)
        except NotSent as failure:
            for unit in units:
                unit.fail(failure)
            return
        with self._coalescer.lock:
            staying = [unit for unit in units if not unit.left]
            for unit in staying:
                unit.worker = self
            self.heard = False
        if staying:
            self._read(line, staying, until)

    def _read(self, line: Any, units: list[Unit], until: float) -> None:
        ended = 0
        try:
            line.write(b"".join(unit.packed for unit in units), until)
            for unit in units:
                replies = line.read(unit.count, until)
                self.heard = True
                ended += 1
                unit.end(replies)
        except (NotSent, Lost) as failure:
            self._drop()
            for unit in units[ended:]:
                unit.fail(failure)
                if isinstance(failure, Lost):
                    failure = Lost(failure.cause)  # the replies that came were the first one's

    def _connected(self, until: float) -> Any:
        """The connection, or a new one where it died or others gave it up."""
        line, current = self._line, self._coalescer.is_current(self)
        if line is not None and not (current and line.is_fresh(until)):
            self._drop()
        if self._line is None:
            self._line = self._coalescer.lines.take(until)
        return self._line

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._coalescer.lines.drop(line)
