"""Plans that run beside their caller's, in threads: begun later by one clock thread."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import os
import threading
import time
from collections.abc import Callable

__all__ = ["Job", "begin_later"]

_log = logging.getLogger("redislua")

FEW = 64
"""Jobs that wait for their time before anybody looks which were stopped."""


class Job:
    """Something that runs in a thread of its own.

    Attributes:
        stopping: Set when it is to end: whatever waits in it waits for this too.
    """

    __slots__ = ("_ended", "_lock", "_run", "_thread", "stopping")

    def __init__(self, run: Callable[[Job], None]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False
        self.stopping = threading.Event()

    def begin(self) -> None:
        """Start the thread, unless it was stopped before."""
        with self._lock:
            if self._ended or self._thread is not None:
                return
            self._thread = threading.Thread(
                target=self._main, name="redislua-background", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Have it end, and wait for that; at once if it has not begun."""
        self.stopping.set()
        with self._lock:
            self._ended = True
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _main(self) -> None:
        try:
            self._run(self)
        except Exception:
            _log.exception("a background task failed")


class _Clock:
    """One thread that begins jobs when they are due, started with the first of them.

    Most jobs are stopped long before they are due: a new one wakes the thread only where it
    is due before the thread would look anyway, and those that were stopped are forgotten when
    they may have become more than the others.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._looks_at = math.inf
        self._most = FEW

    def begin(self, job: Job, after: float) -> None:
        due = time.monotonic() + after
        with self._changed:
            heapq.heappush(self._due, (due, next(self._order), job))
            if len(self._due) > self._most:
                self._due = [one for one in self._due if not one[2].stopping.is_set()]
                heapq.heapify(self._due)
                self._most = max(FEW, 2 * len(self._due))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._main, name="redislua-clock", daemon=True
                )
                self._thread.start()
            elif due < self._looks_at:
                self._changed.notify()

    def _main(self) -> None:
        while True:
            with self._changed:
                job = self._next()
            job.begin()

    def _next(self) -> Job:
        while True:
            now = time.monotonic()
            if self._due and self._due[0][0] <= now:
                return heapq.heappop(self._due)[2]
            self._looks_at = self._due[0][0] if self._due else math.inf
            self._changed.wait(self._looks_at - now if self._due else None)


_clock = _Clock()


def begin_later(job: Job, after: float) -> None:
    """Begin a job in ``after`` seconds."""
    if after > 0:
        _clock.begin(job, after)
    else:
        job.begin()


def _after_fork() -> None:
    global _clock
    _clock = _Clock()  # threads do not live on in a child: whatever was due is the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
