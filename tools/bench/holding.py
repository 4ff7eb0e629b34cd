"""Locks side by side: pairs of acquire and release, and hand-over among those who wait."""

from __future__ import annotations

import importlib
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import redis

from redislua.patterns.lock import Lock

from .measured import Figure

WAITERS = 20
TURNS = 1_000
"""Turns of all waiters together, among which nobody is to starve."""

HAND_OVERS = 100
"""How many are timed: a lock that polls takes its time for each."""

PAIRS_SECONDS = 1.0
HELD = 0.001
"""Seconds for which a turn holds the lock."""

Held: TypeAlias = Callable[[], AbstractContextManager[object]]


def _ours(client: redis.Redis) -> Held:
    lock = Lock(client, "bench", hold=timedelta(seconds=30), wait=timedelta(minutes=5))
    return lambda: lock.acquire()


def _redis_py(client: redis.Redis) -> Held:
    return lambda: client.lock("bench:redis-py", timeout=30)


def _python_redis_lock(client: redis.Redis) -> Held:
    peer: Any = importlib.import_module("redis_lock")
    return lambda: _peer_held(peer.Lock(client, "bench", expire=30))


@contextmanager
def _peer_held(lock: Any) -> Iterator[None]:
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


CONTENDERS: dict[str, Callable[[redis.Redis], Held]] = {
    "redislua Lock": _ours,
    "redis-py Lock": _redis_py,
    "python-redis-lock": _python_redis_lock,
}


def holding(
    url: str,
    *,
    turns: int = TURNS,
    hand_overs: int = HAND_OVERS,
    waiters: int = WAITERS,
    seconds: float = PAIRS_SECONDS,
) -> list[Figure]:
    """Measure all locks on one server, one after the other.

    Args:
        url: A private server: it is emptied.
        turns: Turns of all waiters together.
        hand_overs: How many are timed.
        waiters: Threads that want the lock.
        seconds: For which one caller takes and gives back alone.
    """
    found: list[Figure] = []
    medians: dict[str, float] = {}
    for name, make in CONTENDERS.items():
        with redis.Redis.from_url(url, max_connections=200) as client:
            client.flushall()
            try:
                held = make(client)
            except ImportError as error:
                found.append(Figure(f"pairs: {name}", f"lock: {name}", None, "", str(error)))
                continue
            found.append(
                Figure(
                    f"pairs: {name}",
                    f"acquire and release by one caller: {name}",
                    _pairs(held, seconds),
                    "/s",
                )
            )
            took = hand_over(held, hand_overs, waiters)
            medians[name] = statistics.median(took) * 1_000
            title = f"hand-over among {waiters} waiters, median: {name}"
            found.append(Figure(f"hand-over: {name}", title, medians[name], "ms"))
            share = fewest_turns(held, turns, waiters) / (turns / waiters)
            title = f"of {turns:,} turns those of the waiter that had fewest, of its share: {name}"
            found.append(Figure(f"fewest turns: {name}", title, share, ""))
    ours = medians.get("redislua Lock")
    if ours and "redis-py Lock" in medians:
        title = "hand-over: redis-py's median, of ours"
        found.append(Figure("hand-over ratio", title, medians["redis-py Lock"] / ours, "x"))
    return found


def _pairs(held: Held, seconds: float) -> float:
    """Pairs a second of one caller."""
    began, made = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        with held():
            made += 1
    return made / (time.monotonic() - began)


def hand_over(held: Held, turns: int, waiters: int) -> list[float]:
    """Have threads wait together and take one turn each: seconds from a release to the next turn.

    Args:
        held: Takes the lock for a block.
        turns: How many hand-overs, at least.
        waiters: How many threads wait together.
    """
    took: list[float] = []
    while len(took) < turns:
        given_back: list[float] = []
        start = threading.Barrier(waiters)

        def wait(start: threading.Barrier = start, given_back: list[float] = given_back) -> None:
            start.wait()
            with held():
                now = time.perf_counter()
                if given_back:
                    took.append(now - given_back[-1])
                time.sleep(HELD)
                given_back.append(time.perf_counter())

        _together([wait] * waiters)
    return took


def fewest_turns(held: Held, turns: int, waiters: int) -> int:
    """Have threads take turns, each wanting the lock again at once: the turns of the last one."""
    had = [0] * waiters
    start = threading.Barrier(waiters)  # a thread that began late would have had fewer

    def take(number: int) -> None:
        start.wait()
        while sum(had) < turns:
            with held():
                had[number] += 1

    _together([partial(take, number) for number in range(waiters)])
    return min(had)


def _together(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
