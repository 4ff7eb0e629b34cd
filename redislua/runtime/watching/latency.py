"""Notice scripts that hold the server too long, from the time that callers wait."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from redislua.errors import BudgetExceeded
from redislua.runtime.call import Call
from redislua.runtime.watching.breaker import Breaker, Circuits, positive
from redislua.runtime.watching.protocol import Ended

__all__ = ["LatencyGuard"]

RECENT_CALLS = 100
SHOWN_KEYS = 4
SHOWN_KEY_BYTES = 80

_log = logging.getLogger("redislua.latency")


class LatencyGuard:
    """Logs calls that took more than a limit beyond the round trip, and can turn them away.

    >>> from datetime import timedelta
    >>> guard = LatencyGuard(limit=timedelta(milliseconds=5), breaker=Breaker(breaches=10))
    >>> configure(client, observer=guard)
    >>> decision = run(client, gcra)
    >>> guard.round_trip > timedelta(0)
    True

    The round trip is the least time among the last 100 calls that were answered, of
    whatever script. A slow call is one WARNING of the logger ``redislua.latency``, with
    ``script``, ``version``, ``keys`` (4 at most, each cut at 80 bytes), ``seconds``,
    ``limit`` and ``floor`` (both in seconds) as fields of the record too. With a
    `Breaker` a script that is slow too often gets `BudgetExceeded` before anything is
    sent, so that it cannot hold the server.

    What it cannot tell:

    * A call pays for the queue before it. The script that is named waited, and another
      may have held the server; SLOWLOG and `whois` say which.
    * Where every call is slow, the least time is slow too. A client that calls nothing
      but one slow script needs ``round_trip``.
    * There is one round trip for each guard, the shortest. Servers, or nodes of a cluster,
      at different distances need a guard each, or a limit that covers the difference.
    * A call whose reply was lost, or that never ran, waited on a failure: it is not counted.

    Thread-safe. Memory is bounded: the last 100 times, and the latest breaches of at most
    1 000 scripts.

    Args:
        limit: What a call may take beyond the round trip.
        breaker: When to turn calls away, or None to log alone.
        round_trip: The round trip if it is known, or None to learn it.
        clock: Seconds that never go back, for the breaker.
    """

    def __init__(
        self,
        *,
        limit: timedelta = timedelta(milliseconds=5),
        breaker: Breaker | None = None,
        round_trip: timedelta | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = positive("LatencyGuard", "limit", limit)
        self._clock = clock
        self._breaker = breaker
        self._circuits = None if breaker is None else Circuits(breaker)
        self._turned_away = {} if self._circuits is None else self._circuits.open
        self._lock = threading.Lock()
        self._recent: deque[float] = deque(maxlen=RECENT_CALLS)
        self._given: float | None = None
        # Never above the floor, and so enough to tell nearly every quick call: the floor
        # itself, a search through the last 100, is only found for the others.
        self._least = float("inf")
        if round_trip is not None:
            self._given = self._least = positive("LatencyGuard", "round_trip", round_trip)
        self._surely_quick = self._limit + self._least

    @property
    def round_trip(self) -> timedelta | None:
        """The round trip that calls are measured against; None before the first answer."""
        with self._lock:
            if self._given is None and not self._recent:
                return None
            return timedelta(seconds=self._floor())

    def admit(self, call: Call[Any], /) -> None:
        """Let a call pass unless its script was too slow too often.

        Raises:
            BudgetExceeded: It was. Nothing was sent.
        """
        if self._circuits is None or not self._turned_away:
            return
        with self._lock:
            wait = self._circuits.refuses(call, self._clock())
        if wait is not None:
            reason = f"turned away, too slow too often; the next trial is in {wait:.1f} s"
            raise BudgetExceeded(reason, script=str(call.script), keys=call.keys)

    def on_call(self, ended: Ended, /) -> None:
        """Take note of how long a call took."""
        if ended.error is not None and ended.outcome != "failed":
            return
        seconds = ended.seconds
        with self._lock:
            if self._given is None:
                self._recent.append(seconds)
                if seconds < self._least:
                    self._least = seconds
                    self._surely_quick = seconds + self._limit
            is_slow = seconds > self._surely_quick and seconds > self._floor() + self._limit
            if not is_slow and not self._turned_away:
                return
            floor = self._least  # found just now, if the call is slow
            moved = self._judge(ended.call, is_slow)
        # Logging may block: never under the lock.
        if is_slow:
            self._report(ended, floor)
        if moved:
            self._report_move(ended.call, is_slow)

    def _floor(self) -> float:
        if self._given is not None:
            return self._given
        self._least = min(self._recent)
        self._surely_quick = self._least + self._limit
        return self._least

    def _judge(self, call: Call[Any], is_slow: bool) -> bool:
        """Say whether a call opened or closed its script's circuit."""
        if self._circuits is None:
            return False
        return self._circuits.slow(call, self._clock()) if is_slow else self._circuits.quick(call)

    def _report(self, ended: Ended, floor: float) -> None:
        script, keys = ended.call.script, _shown(ended.call.keys)
        more = len(ended.call.keys) - len(keys)
        _log.warning(
            "%s on [%s%s] took %.2f ms: more than %.2f ms beyond a round trip of %.2f ms",
            script,
            ", ".join(keys),
            f", … {more} more" if more else "",
            ended.seconds * 1_000,
            self._limit * 1_000,
            floor * 1_000,
            extra={
                "script": script.name,
                "version": script.version,
                "keys": keys,
                "seconds": ended.seconds,
                "limit": self._limit,
                "floor": floor,
            },
        )

    def _report_move(self, call: Call[Any], opened: bool) -> None:
        if opened and self._breaker is not None:
            cool_down = self._breaker.cool_down.total_seconds()
            _log.warning("%s was too slow: turned away for %g s", call.script, cool_down)
        else:
            _log.warning("%s is quick again: let through", call.script)


def _shown(keys: Sequence[bytes]) -> list[str]:
    """Show the first keys as Python writes bytes, so that no key can forge a line of the log."""
    return [
        repr(key[:SHOWN_KEY_BYTES])[1:] + ("…" if len(key) > SHOWN_KEY_BYTES else "")
        for key in keys[:SHOWN_KEYS]
    ]
