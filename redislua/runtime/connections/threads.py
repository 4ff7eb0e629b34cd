"""Coalescing for threads: calls that find every connection taken share one write.

They queue, and one thread of the pool's own takes what is there, at most 256 calls and 1 MiB,
writes it at once and gives each call its replies; what comes meanwhile travels in the
next write. The thread starts when it is first needed and ends when it has been idle for a
while, so a pool whose connections suffice never has one. No caller reads the shared
connection: an interrupted one, or one whose deadline passes, leaves it as it is.
"""

from __future__ import annotations

import contextlib
import math
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

PATIENCE = 0.25
"""Seconds that a call waits behind a write that brings no reply, before another thread begins."""

MOST_THREADS = 4
"""Threads of one pool: a server that hangs must not gather them."""


class Lines(Protocol):
    """Where the thread has its connection from."""

    def take(self, until: float) -> Any:
        """Return an idle connection or a new one; raises `NotSent`."""

    def give_up(self, line: Any) -> None:
        """Let another one take its place, though calls still wait on it."""

    def give_back(self, line: Any) -> None:
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
        "_is_told",
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
        self._failure: Exception | None = None
        self._is_told = False
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
            in_time = self._wait()
        finally:
            if not in_time:
                self.abandon()
        if self._failure is not None:
            raise self._failure
        return self._replies

    def abandon(self) -> None:
        """Wait no longer."""
        self._coalescer.leave(self)

    def _wait(self) -> bool:
        while (left := self.until - time.monotonic()) > PATIENCE and self.worker is None:
            if self._ended.acquire(timeout=PATIENCE):
                return True
            if self.worker is None:
                self._coalescer.relieve()
        return self._ended.acquire(timeout=max(left, 0.0))

    def end(self, replies: list[Any]) -> None:
        """Give the caller its replies."""
        if not self.left:
            self._is_told = True
            self._replies = replies
            self._ended.release()

    def fail(self, failure: Exception) -> None:
        """Give the caller a failure, unless it has its replies."""
        if not self.left and not self._is_told:
            self._is_told = True
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
        self.queue: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()  # None: look up
        self.held: deque[Unit] = deque()  # taken from the queue, and too big for their write
        # Re-entrant: a collected client's pool is closed by whoever triggers the collection.
        self.lock = threading.RLock()
        self.is_busy = False
        self._worker: _Worker | None = None
        self._threads: set[_Worker] = set()

    def submit(self, packed: bytes, count: int, until: float) -> Unit:
        """Queue a write."""
        unit = Unit(self, packed, count, until)
        self.queue.put(unit)
        try:
            if self._worker is None:
                self._start()
        except BaseException as error:
            with self.lock:
                if unit.worker is not None and isinstance(error, RuntimeError):
                    return unit  # another thread wrote it in the meantime
                unit.left = True  # still queued, and nobody's
            if isinstance(error, RuntimeError):  # no further thread can be started
                raise NotSent(error) from error
            raise
        return unit

    def leave(self, unit: Unit) -> None:
        """Let a caller go whose deadline passed or who was interrupted."""
        with self.lock:
            unit.leave()
            worker = unit.worker
            if worker is not None and worker is self._worker and worker.heard <= worker.wrote:
                worker.heard = -math.inf  # not one reply in all of the call's time
            self._relieve()

    def relieve(self) -> None:
        """Have another thread go on if the present one waits for a server that is silent."""
        with self.lock:
            self._relieve()

    def renew(self) -> None:
        """Use a new connection from the next write on."""
        with self.lock:
            if self._worker is not None:
                self._replace()
                self.queue.put(None)  # the one before may be waiting for calls

    def take_held(self) -> Unit | None:
        """Return the oldest call that did not fit into a write before."""
        try:
            return self.held.popleft() if self.held else None
        except IndexError:  # another thread was quicker
            return None

    def is_current(self, worker: _Worker) -> bool:
        """Whether a thread goes on."""
        return self._worker is worker

    def gone(self, worker: _Worker) -> None:
        """Take note that a thread ended."""
        with self.lock:
            self._threads.discard(worker)

    def retire(self, worker: _Worker) -> bool:
        """Let an idle thread end; False if a call just came."""
        with self.lock:
            if self._worker is worker:
                # In this order: who queues a call looks for a thread after that.
                self._worker = None
                if self._has_work():
                    self._worker = worker
                    return False
            return True

    def is_flowing(self) -> bool:
        """Whether the thread, which is busy, gets replies."""
        worker = self._worker
        return worker is None or time.monotonic() - worker.heard < PATIENCE

    def _relieve(self) -> None:
        # Those who come later travel on a new connection, and those who are on this one
        # keep it until their own deadlines.
        if self._worker is None:
            self._go_on()
        elif self.is_busy and not self.is_flowing() and len(self._threads) < MOST_THREADS:
            self._replace()

    def _has_work(self) -> bool:
        return bool(self.held) or not self.queue.empty()

    def _replace(self) -> None:
        """Have another thread go on; the one before ends with what it has written."""
        before, self._worker = self._worker, None
        if before is not None and before.line is not None:
            self.lines.give_up(before.line)
        self._go_on()

    def _go_on(self) -> None:
        if self._has_work():
            # Where no thread can be started now, those who wait try again.
            with contextlib.suppress(RuntimeError):
                self._begin()

    def _start(self) -> None:
        with self.lock:
            if self._worker is None:
                self._begin()

    def _begin(self) -> None:
        worker = _Worker(self)
        self._threads.add(worker)
        try:
            self._worker = worker
            threading.Thread(target=worker.run, name="redislua", daemon=True).start()
        except BaseException:
            self._worker = None  # interrupted, it may run all the same: then it ends by itself
            self._threads.discard(worker)
            raise


class _Worker:
    """One thread and its connection.

    Attributes:
        line: Its connection, once it has one.
        wrote: When it last wrote.
        heard: When it last wrote or had a reply.
    """

    def __init__(self, coalescer: Coalescer) -> None:
        self.wrote = self.heard = time.monotonic()
        self._coalescer = coalescer
        self.line: Any = None
        self._just_answered = self._is_live = False

    def run(self) -> None:
        """Empty the queue until there is nothing to do, or another thread does it."""
        try:
            self._run()
        finally:
            self._coalescer.gone(self)

    def _run(self) -> None:
        coalescer = self._coalescer
        while coalescer.is_current(self):
            units: list[Unit] = []
            try:
                self._take(units)
                if units:
                    self._exchange(units)
                    if coalescer.is_current(self):
                        coalescer.is_busy = not coalescer.queue.empty()
                elif coalescer.retire(self):
                    break
            except BaseException as error:
                coalescer.is_busy = False
                for unit in units:  # those that have ended take no notice
                    unit.fail(Lost(RuntimeError(f"the thread ended: {error!r}")))
                self._drop()
                coalescer.renew()
                raise
        if self.line is not None:
            coalescer.lines.give_back(self.line)

    def _take(self, units: list[Unit]) -> None:
        """Wait for a call; add what one write holds, oldest first."""
        coalescer = self._coalescer
        calls = size = 0
        try:
            while True:
                unit: Unit | None
                held = coalescer.take_held()
                if held is not None:
                    unit = held
                elif units:
                    unit = coalescer.queue.get_nowait()
                else:
                    unit = self._next()
                if unit is None:
                    break
                calls += unit.count
                size += len(unit.packed)
                if units and (calls > MOST_CALLS or size > MOST_BYTES):
                    coalescer.held.append(unit)
                    break
                units.append(unit)
        except queue.Empty:
            pass

    def _next(self) -> Unit | None:
        """Wait for a call. One that was waiting already finds a connection that just answered."""
        just_answered, self._just_answered = self._just_answered, False
        self._is_live = just_answered and not self._coalescer.queue.empty()
        return self._coalescer.queue.get(timeout=IDLE)

    def _exchange(self, units: list[Unit]) -> None:
        until = max(unit.until for unit in units)
        try:
            line = self._connected(until)
        except Exception as failure:
            for unit in units:
                unit.fail(failure)
            return
        with self._coalescer.lock:
            staying = [unit for unit in units if not unit.left]
            for unit in staying:
                unit.worker = self
            self.wrote = self.heard = time.monotonic()
            if self._coalescer.is_current(self):
                self._coalescer.is_busy = True
        if staying:
            self._read(line, staying, until)

    def _read(self, line: Any, units: list[Unit], until: float) -> None:
        ended = 0
        try:
            line.write(b"".join(unit.packed for unit in units), until)
            for unit in units:
                replies = line.read(unit.count, until)
                self.heard = time.monotonic()
                ended += 1
                unit.end(replies)
            self._just_answered = True
        except (NotSent, Lost) as failure:
            self._drop()
            for unit in units[ended:]:
                unit.fail(failure)
                if isinstance(failure, Lost):
                    failure = Lost(failure.cause)  # the replies that came were the first one's

    def _connected(self, until: float) -> Any:
        """The connection, or a new one where it died or others gave it up."""
        line, current = self.line, self._coalescer.is_current(self)
        is_sound = self._is_live and line is not None and line.is_clean()
        if line is not None and not (current and (is_sound or line.is_fresh(until))):
            self._drop()
        if self.line is None:
            self.line = self._coalescer.lines.take(until)
        return self.line

    def _drop(self) -> None:
        with self._coalescer.lock:  # or it is given up, and counted, at the same moment
            line, self.line = self.line, None
            if line is not None:
                self._coalescer.lines.drop(line)
