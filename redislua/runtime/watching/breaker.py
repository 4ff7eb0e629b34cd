"""Turn a script's calls away for a while after it was too slow too often.

Circuits do no I/O and take the time as an argument; `LatencyGuard` holds a lock around
every use of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.runtime.call import Call

__all__ = ["Breaker", "Circuits", "positive"]

MOST_BREACHES = 1_000
MOST_SCRIPTS = 1_000


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a `LatencyGuard` turns the calls of a script away, and for how long.

    >>> from datetime import timedelta
    >>> breaker = Breaker(
    ...     breaches=3, window=timedelta(seconds=10), cool_down=timedelta(seconds=30)
    ... )
    >>> configure(client, observer=LatencyGuard(breaker=breaker))
    >>> decision = run(client, gcra)

    Attributes:
        breaches: So many slow calls of one script, 1 to 1_000,
        window: within this time open its circuit: its calls are turned away
        cool_down: for this long. Then one call is let through as a trial. A quick one
            closes the circuit, a slow one opens it for another ``cool_down``; so does a
            trial that ends without an answer, since that proves nothing.
    """

    breaches: int = 5
    window: timedelta = timedelta(seconds=10)
    cool_down: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if type(self.breaches) is not int:
            raise InvalidArgumentType("Breaker", "breaches", self.breaches, "an int")
        if not 1 <= self.breaches <= MOST_BREACHES:
            raise InvalidArgumentValue("Breaker", "breaches", self.breaches, "1 to 1_000")
        positive("Breaker", "window", self.window)
        positive("Breaker", "cool_down", self.cool_down)


class Circuits:
    """A circuit for each script that was too slow lately, by its sha1.

    Attributes:
        open: Circuits that turn calls away.
    """

    __slots__ = ("_breaches", "_settings", "open")

    def __init__(self, settings: Breaker) -> None:
        self._settings = settings
        self._breaches: dict[str, deque[float]] = {}
        self.open: dict[str, _Open] = {}

    def refuses(self, call: Call[Any], now: float) -> float | None:
        """Return the seconds until the next trial, or None to let a call pass."""
        circuit = self.open.get(call.script.sha1)
        if circuit is None:
            return None
        if now < circuit.until:
            return circuit.until - now
        circuit.trial = call
        # A trial that never ends, or ends in nothing, must not keep the circuit open for ever.
        circuit.until = now + self._settings.cool_down.total_seconds()
        return None

    def slow(self, call: Call[Any], now: float) -> bool:
        """Count a slow call, and say whether it opened a circuit."""
        sha1 = call.script.sha1
        circuit = self.open.get(sha1)
        if circuit is not None and circuit.trial is not call:
            return False  # it was under way when the circuit opened
        if circuit is None and not self._too_often(sha1, now):
            return False
        self._breaches.pop(sha1, None)
        self.open[sha1] = _Open(now + self._settings.cool_down.total_seconds())
        return True

    def quick(self, call: Call[Any]) -> bool:
        """Take note of a call within the limit, and say whether it closed a circuit."""
        circuit = self.open.get(call.script.sha1)
        if circuit is None or circuit.trial is not call:
            return False
        del self.open[call.script.sha1]
        return True

    def _too_often(self, sha1: str, now: float) -> bool:
        times = self._breaches.get(sha1)
        if times is None:
            if len(self._breaches) >= MOST_SCRIPTS:
                del self._breaches[next(iter(self._breaches))]
            times = self._breaches[sha1] = deque(maxlen=self._settings.breaches)
        times.append(now)
        full = len(times) == self._settings.breaches
        return full and now - times[0] <= self._settings.window.total_seconds()


class _Open:
    """A circuit that turns calls away.

    Attributes:
        until: When the next trial may pass, by the guard's clock.
        trial: The call that was let through last, or None.
    """

    __slots__ = ("trial", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.trial: Call[Any] | None = None


def positive(subject: str, parameter: str, value: timedelta) -> float:
    """Return a timedelta of more than 0 s in seconds."""
    if not isinstance(value, timedelta):
        raise InvalidArgumentType(subject, parameter, value, "a timedelta")
    if value <= timedelta(0):
        raise InvalidArgumentValue(subject, parameter, value, "more than 0 s")
    return value.total_seconds()
