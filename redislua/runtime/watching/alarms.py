"""When what a server does is a reason for alarm: values alone, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.runtime.watching.vitals import Reading, Readings, Window, evicts

__all__ = ["Alarm", "AlarmKind", "Look", "Thresholds", "Watchman"]

AlarmKind: TypeAlias = Literal["hit-rate", "memory", "evictions", "refused", "unreachable"]
"""What an alarm is about.

===============  ==========================================================================
``hit-rate``     too many look-ups found nothing
``memory``       memory runs out on a server that does not evict, or has no ``maxmemory``
``evictions``    keys are evicted so fast that all would be gone within a short time
``refused``      the server refused commands for lack of memory
``unreachable``  the server does not answer, or does not let us ask
===============  ==========================================================================
"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing wrong on one server.

    Attributes:
        node: The server.
        kind: What it is about.
        text: What is wrong, with the figures, and what helps.
    """

    node: str
    kind: AlarmKind
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one server.

    Attributes:
        node: The server.
        reading: What it says, or None where it does not answer.
        window: What happened since the look before, or None where that is not known: at
            first, after a restart, a CONFIG RESETSTAT or an outage.
        error: Why it does not answer, or None.
        alarms: What is wrong.
    """

    node: str
    reading: Reading | None
    window: Window | None
    error: Exception | None
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is a reason for an alarm; None turns an alarm off.

    Attributes:
        hit_rate: The least share of look-ups that find a key, 0 to 1.
        least_lookups: Windows with fewer look-ups say nothing of the hit rate: an idle
            server is no bad cache.
        memory: The greatest share of memory in use, 0 to 1, on a server that refuses
            writes once it is full, or that nothing but its machine bounds. A cache that
            evicts is meant to be full.
        turnover: Evictions that would replace all keys within this time mean that keys go
            before anybody asks for them.
        least_evicted: Windows with fewer evictions say nothing of that.

    Commands that were refused for lack of memory are always an alarm.
    """

    hit_rate: float | None = 0.8
    least_lookups: int = 200
    memory: float | None = 0.9
    turnover: timedelta | None = timedelta(minutes=1)
    least_evicted: int = 100

    def __post_init__(self) -> None:
        for name in ("hit_rate", "memory"):
            share = getattr(self, name)
            if isinstance(share, bool) or not isinstance(share, int | float | None):
                raise InvalidArgumentType("Thresholds", name, share, "a share, 0 to 1, or None")
            if share is not None and not 0 <= share <= 1:
                raise InvalidArgumentValue("Thresholds", name, share, "0 to 1")
        for name in ("least_lookups", "least_evicted"):
            count = getattr(self, name)
            if type(count) is not int:
                raise InvalidArgumentType("Thresholds", name, count, "an int")
            if count < 1:
                raise InvalidArgumentValue("Thresholds", name, count, "1 or more")
        if not isinstance(self.turnover, timedelta | None):
            raise InvalidArgumentType("Thresholds", "turnover", self.turnover, "a timedelta")

    def judge(self, window: Window) -> tuple[Alarm, ...]:
        """Return what is wrong in a window."""
        found: dict[AlarmKind, str] = {
            "hit-rate": self._hit_rate(window),
            "memory": self._memory(window),
            "evictions": self._turnover(window),
            "refused": _refused(window),
        }
        return tuple(Alarm(window.node, kind, text) for kind, text in found.items() if text)

    def _hit_rate(self, window: Window) -> str:
        rate, lookups = window.hit_rate, window.lookups
        if self.hit_rate is None or rate is None or lookups is None:
            return ""
        if lookups < self.least_lookups or rate >= self.hit_rate:
            return ""
        return (
            f"{rate:.1%} of {lookups} look-ups found a key, expected {self.hit_rate:.0%}: "
            "look at lifetimes and keys, or raise maxmemory if keys are evicted"
        )

    def _memory(self, window: Window) -> str:
        after, share = window.after, window.after.memory
        if self.memory is None or share is None or share < self.memory:
            return ""
        if not after.maxmemory:
            return (
                f"{share:.1%} of the machine's memory is in use, and maxmemory is 0: "
                "set maxmemory before the system ends the server"
            )
        if evicts(after.policy):
            return ""
        return (
            f"{share:.1%} of maxmemory is in use, and noeviction refuses writes beyond it: "
            "raise maxmemory, or free memory"
        )

    def _turnover(self, window: Window) -> str:
        turnover, evicted = window.turnover, window.evicted
        if self.turnover is None or turnover is None or evicted is None:
            return ""
        if evicted < self.least_evicted or turnover >= self.turnover.total_seconds():
            return ""
        return (
            f"{evicted} keys were evicted in {window.seconds:.1f} s: at this rate all "
            f"{window.after.keys} are replaced within {turnover:.0f} s; raise maxmemory, or "
            "store less"
        )


def _refused(window: Window) -> str:
    if not window.refused:
        return ""
    return (
        f"{window.refused} commands were refused for lack of memory: raise maxmemory, "
        "or free memory"
    )


class Watchman:
    """Keeps what each server last said, and judges what it says next.

    Args:
        thresholds: What is a reason for alarm.
    """

    __slots__ = ("_readings", "_thresholds")

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._readings = Readings()

    def look(self, node: str, said: Mapping[str, Any] | Exception, at: float) -> Look:
        """Judge a reply to INFO, or that there is none.

        Args:
            node: The server.
            said: The reply, as ``info()`` of the client libraries gives it, or what was
                raised instead.
            at: When it came, seconds of a monotonic clock.
        """
        if isinstance(said, Exception):
            # Its next window would span the outage.
            self._readings.forget(node)
            text = f"its INFO cannot be read: {' '.join(str(said).split())}"
            return Look(node, None, None, said, (Alarm(node, "unreachable", text),))
        reading = Reading.of(said, at)
        window = self._readings.take(node, reading)
        alarms = () if window is None else self._thresholds.judge(window)
        return Look(node, reading, window, None, alarms)
