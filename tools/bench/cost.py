"""What building and decoding a call costs in Python alone: no server, no socket.

    python -m tools.bench.cost

Prints one line of JSON: microseconds of processor time of each, medians. It is a process of
its own, on one processor, with the garbage collector on. Walking over the subjects is part
of the figure.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable

from redislua.bindings import limit

from .workload import BURST, LIMIT, PERIOD_US, SUBJECTS, subjects

REPEATS = 41
WALKS = 5


def _microseconds(once: Callable[[], int]) -> float:
    once()
    samples = []
    for _ in range(REPEATS):
        began = time.process_time()
        calls = once()
        samples.append(1e6 * (time.process_time() - began) / calls)
    return statistics.median(samples)


def main() -> None:
    """Measure and print."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    names = subjects(SUBJECTS) * WALKS
    decode = limit.gcra(subject=names[0], limit=LIMIT, period=PERIOD_US, burst=BURST).decode
    replies = [[b"Allowed", BURST - 1 - number % 100, 1 + number % 100] for number in range(5_000)]

    def build() -> int:
        gcra = limit.gcra
        for name in names:
            gcra(subject=name, limit=LIMIT, period=PERIOD_US, burst=BURST)
        return len(names)

    def read() -> int:
        for reply in replies:
            decode(reply)
        return len(replies)

    print(json.dumps({"build": _microseconds(build), "decode": _microseconds(read)}))


if __name__ == "__main__":
    main()
