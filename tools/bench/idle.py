"""How busy the machine was, to say whether others were at work while we measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
_USER, _NICE, _SYSTEM = 1, 2, 3  # interrupts, which no process is charged for, are left out


class Processors:
    """Processor time that all processes of the machine use from here on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._own = time.process_time()
        self._used = _used()

    def share_of_others(self, known: float) -> float:
        """Return which share of the machine went to processes that are not ours, 0 to 1.

        Args:
            known: Seconds of processor time of those that are, but this one. Their clocks
                are finer than the machine's 10 ms: a single result is rough.
        """
        used = _used() - self._used - (time.process_time() - self._own)
        there_was = (time.perf_counter() - self._began) * (os.cpu_count() or 1)
        return max(0.0, used - known) / there_was


def _used() -> float:
    """Return seconds of processor time since the machine started; 0 without /proc."""
    if not STAT.exists():
        return 0.0
    with STAT.open() as stat:
        fields = stat.readline().split()
    ticks = int(fields[_USER]) + int(fields[_NICE]) + int(fields[_SYSTEM])
    return ticks / os.sysconf("SC_CLK_TCK")
