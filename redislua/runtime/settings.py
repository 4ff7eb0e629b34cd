"""How the calls of one client are made, and who watches them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from redislua.runtime.call import Call
from redislua.runtime.watching.protocol import Ended, Gate, Observer, outcome_of, tell

__all__ = ["Settings", "Watch", "WatchMany"]


class Settings:
    """Settings of one client, shared by all that its calls go through.

    Attributes:
        coalesce: Whether calls made at the same moment share a connection and a write.
        observer: Who is told of each call, or None.
        admit: Lets a call pass or raises; None where nobody is to be asked.
    """

    __slots__ = ("admit", "coalesce", "observer")

    def __init__(self) -> None:
        self.coalesce = True
        self.observer: Observer | None = None
        self.admit: Callable[[Call[Any]], None] | None = None

    def watch(self, observer: Observer | None) -> None:
        """Set who is told of each call, and asked before it if it is a gate."""
        self.observer = observer
        self.admit = observer.admit if isinstance(observer, Gate) else None


class Watch:
    """The time that one call takes, for an observer: a block around it."""

    __slots__ = ("_begin", "_call", "_observer")

    def __init__(self, observer: Observer, call: Call[Any]) -> None:
        self._observer = observer
        self._call = call

    def __enter__(self) -> None:
        self._begin = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._begin
        tell(self._observer, Ended(self._call, seconds, outcome_of(error), error))


class WatchMany:
    """The time that a batch takes, for whoever observes it: a block around it.

    Attributes:
        results: Each call's own reply or error, once there are any.
    """

    __slots__ = ("_begin", "_calls", "_observer", "results")

    def __init__(self, settings: Settings, calls: Sequence[Call[Any]]) -> None:
        self._observer = settings.observer
        self._calls = calls
        self.results: Sequence[Any] = ()

    def __enter__(self) -> Self:
        self._begin = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._observer is None:
            return
        seconds = time.perf_counter() - self._begin
        results = self.results or [error] * len(self._calls)
        for call, result in zip(self._calls, results, strict=True):
            own = result if isinstance(result, BaseException) else None
            tell(self._observer, Ended(call, seconds, outcome_of(own), own))
