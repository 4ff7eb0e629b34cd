"""What `Sequence` and `AsyncSequence` do, as plans."""

from __future__ import annotations

import threading
from datetime import timedelta

from redislua.bindings import sequence as scripts
from redislua.errors import InvalidArgumentValue
from redislua.patterns._plan import Plan, ask, share
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = ["SequencePlans"]

MOST_AT_ONCE = 1_000
"""Numbers of one call, as its script gives them."""


class SequencePlans:
    """The plans of one sequence, and the numbers that this process has of it."""

    def __init__(self, name: str, *, block: int, keep: timedelta, namespace: str) -> None:
        encode.namespace_prefix("Sequence", namespace)
        if not isinstance(block, int) or not 1 <= block <= MOST_AT_ONCE:
            raise InvalidArgumentValue("Sequence", "block", block, f"1 to {MOST_AT_ONCE}")
        self._name = name
        self._block = block
        self._keep = milliseconds("Sequence", "keep", keep, most=timedelta(days=366))
        self._namespace = namespace
        self._left = range(0)
        self._lock = threading.Lock()
        self._call(1)  # whatever is wrong with the name is said now

    def _call(self, count: int) -> Call[scripts.NextRange]:
        return scripts.next(
            name=self._name, count=count, keep=self._keep, namespace=self._namespace
        )

    def next(self) -> Plan[int]:
        """One number, of those that are there or of a new block."""
        if self._block == 1:
            return (yield from self.take(1))[0]
        while True:
            with self._lock:
                if self._left:
                    found, self._left = self._left[0], self._left[1:]
                    return found
            # Whoever comes meanwhile waits for the same block. Were there two, that of the
            # slower call could hold the smaller numbers, and be given out last.
            yield from share(self, self._refill)

    def _refill(self) -> Plan[None]:
        with self._lock:
            if self._left:
                return
        block = yield from self.take(self._block)
        with self._lock:
            self._left = block

    def take(self, count: int) -> Plan[range]:
        """A block of numbers."""
        reply = yield from ask(self._call(count))
        return range(reply.first, reply.first + reply.count)
