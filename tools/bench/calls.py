"""What a call costs in Python alone: building it, and decoding its reply.

    python tools/bench/calls.py [ROUNDS]

No server is asked, also where a call is followed through the driver, alone and watched by a
`LatencyGuard`: the difference of the two is what watching costs. Everything runs on one processor, rounds are shuffled, and each
figure is the least of all rounds: what the code costs when nothing else runs beside it.
Printed are microseconds, and ratios to a function that takes the keywords of
``limit.gcra`` and does nothing, which hold on other machines as well.
"""

from __future__ import annotations

import os
import random
import sys
import timeit
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from redislua.bindings import cache, limit
from redislua.runtime import Call, new_owner
from redislua.runtime.blocking import called
from redislua.runtime.settings import Settings
from redislua.runtime.watching import LatencyGuard, Observer

PERIOD, HOLD, OWNER = timedelta(seconds=1), timedelta(milliseconds=500), new_owner()
NUMBER = 2_000
_draws = count(1)

BUILDS: dict[str, Callable[[], Any]] = {
    "limit.gcra": lambda: limit.gcra(subject="user:42", limit=100, period=PERIOD, burst=20),
    "limit.gcra, namespace": lambda: limit.gcra(
        subject="user:42", limit=100, period=PERIOD, burst=20, namespace="shop"
    ),
    "limit.gcra, new settings": lambda: limit.gcra(
        subject="user:42", limit=next(_draws), period=PERIOD, burst=20
    ),
    "limit.sliding_window": lambda: limit.sliding_window(
        subject="user:42", limit=100, period=PERIOD
    ),
    "cache.get_or_lock": lambda: cache.get_or_lock(key="user:1", owner=OWNER, hold=HOLD),
    "cache.read": lambda: cache.read(key="user:1"),
}
REPLIES: dict[str, tuple[str, list[Any]]] = {
    "limit.gcra Allowed": ("limit.gcra", [b"Allowed", 19, 50]),
    "limit.gcra Limited": ("limit.gcra", [b"Limited", 0, 50, 1000]),
    "limit.sliding_window Allowed": ("limit.sliding_window", [b"Allowed", 99, 1000]),
    "cache.get_or_lock Hit": ("cache.get_or_lock", [b"Hit", b"value", 100, 400]),
    "cache.get_or_lock Fill": ("cache.get_or_lock", [b"Fill"]),
    "cache.read Missing": ("cache.read", [b"Missing"]),
}


def nothing(
    *,
    subject: str,
    limit: int,
    period: timedelta | int,
    burst: int,
    cost: int = 1,
    mode: str = "consume",
    max_debt: int = 0,
    namespace: str = "",
) -> None:
    """Take what ``limit.gcra`` takes."""


class Answered:
    """A pool whose server has answered already."""

    topology = None

    def __init__(self, reply: list[Any], observer: Observer | None) -> None:
        self.settings = Settings()
        self.settings.watch(observer)
        self._reply = reply

    def first(self, _call: Call[Any], _until: float) -> list[Any]:
        """The reply."""
        return self._reply


def main() -> None:
    """Measure and print one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    base = "a function that does nothing"
    works = {base: lambda: nothing(subject="user:42", limit=100, period=PERIOD, burst=20)}
    works |= {f"build  {name}": build for name, build in BUILDS.items()}
    works |= {f"decode {name}": _decoding(*reply) for name, reply in REPLIES.items()}
    works["run    limit.gcra"] = _running(None)
    works["run    limit.gcra, LatencyGuard"] = _running(LatencyGuard())
    least = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name in random.sample(list(works), len(works)):
            took = timeit.timeit(works[name], number=NUMBER) / NUMBER
            least[name] = min(least[name], took)
    print(f"Python alone, the least of {rounds} rounds")
    for name, took in least.items():
        print(f"  {name:<36} {took * 1e6:6.2f} us   {took / least[base]:5.1f} x nothing")


def _decoding(name: str, reply: list[Any]) -> Callable[[], Any]:
    decode = BUILDS[name]().decode
    return lambda: decode(reply)


def _running(observer: Observer | None) -> Callable[[], Any]:
    name, reply = REPLIES["limit.gcra Allowed"]
    call, pool = BUILDS[name](), Answered(reply, observer)
    return lambda: called(pool, call, float("inf"))  # type: ignore[arg-type] # what `called` asks


if __name__ == "__main__":
    main()
