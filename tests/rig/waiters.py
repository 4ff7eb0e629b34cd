"""Callers that block until something is pushed to a list, in an order that is known."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import redis


class Waiters:
    """Threads in BLPOP on one list.

    Attributes:
        woken: Number and element of each that was woken, in that order; they are numbered in
            the order in which they came.
    """

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client: Any = client
        self._key = key
        self._threads = ThreadPoolExecutor(32)
        self._changed = threading.Condition()
        self._came = 0
        self.woken: list[tuple[int, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        while self.blocked:
            self._client.lpush(self._key, "end")
        self._threads.shutdown()
        self._client.delete(self._key)

    @property
    def blocked(self) -> int:
        """How many wait on this server, for whatever."""
        return int(self._client.info("clients")["blocked_clients"])

    def come(self, count: int) -> None:
        """Let so many come, one after the other."""
        for _ in range(count):
            expected = self.blocked + 1
            self._threads.submit(self._wait, self._came)
            self._came += 1
            while self.blocked < expected:
                time.sleep(0.001)

    def wait_for(self, count: int) -> list[tuple[int, str]]:
        """Return those that were woken, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.woken) >= count, timeout=30)
            return list(self.woken)

    def _wait(self, number: int) -> None:
        popped = self._client.blpop([self._key], timeout=30)
        with self._changed:
            self.woken.append((number, popped[1].decode()))
            self._changed.notify_all()
