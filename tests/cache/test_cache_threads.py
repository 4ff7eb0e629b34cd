"""Many callers at once, on one real server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import redis

from redislua.bindings import cache
from redislua.runtime import run

CALLERS = 12

Result = TypeVar("Result")


def together(work: Callable[[int], Result]) -> list[Result]:
    """Run ``work(number)`` in many threads that start at the same moment."""
    gate = threading.Barrier(CALLERS)

    def start(number: int) -> Result:
        gate.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(start, range(CALLERS)))


def test_a_stampede_makes_one_fetch(client: redis.Redis) -> None:
    def ask(number: int) -> cache.GetOrLockReply:
        return run(client, cache.get_or_lock(key="k", owner=f"o{number}", hold=60_000))

    for _ in range(10):
        asked = together(ask)
        run(client, cache.invalidate(key="k"))

        kinds = [type(reply) for reply in asked]
        assert kinds.count(cache.GetOrLockFill) == 1
        assert kinds.count(cache.GetOrLockWait) == CALLERS - 1


def test_no_two_callers_hold_one_lease(client: redis.Redis) -> None:
    """Whoever holds it stays a while, and nobody else is told that they hold it meanwhile."""
    holding: list[str] = []
    crowds: list[list[str]] = []
    ended: list[object] = []

    def work(number: int) -> None:
        for turn in range(20_000):
            if len(ended) >= 60:
                return
            owner = f"{number}.{turn}"
            reply = run(client, cache.get_or_lock(key="k", owner=owner, hold=60_000))
            if not isinstance(reply, cache.GetOrLockFill | cache.GetOrLockRefresh):
                continue
            holding.append(owner)
            crowds.append(list(holding))
            client.ping()
            crowds.append(list(holding))
            holding.remove(owner)  # before the server is told, so that the next may follow
            if turn % 3 == 0:
                ended.append(run(client, cache.abandon(key="k", owner=owner, cooldown=1)))
            else:
                fill = cache.fill(key="k", owner=owner, value=b"v", soft=1, hard=60_000)
                ended.append(run(client, fill))

    together(work)

    assert len(ended) >= 60
    assert all(len(crowd) == 1 for crowd in crowds)
    assert not any(isinstance(end, cache.FillLeaseLost | cache.AbandonLost) for end in ended)


def read_document(client: redis.Redis) -> cache.ConditionalReadFound:
    found = run(client, cache.conditional_read(key="k"))
    assert isinstance(found, cache.ConditionalReadFound)
    return found


def test_no_update_is_lost(client: redis.Redis) -> None:
    """Counting by read and match: every accepted update is in the result."""
    run(client, cache.conditional_update(key="k", mode="create", value=b"0"))

    def work(number: int) -> int:
        conflicts = 0
        for _ in range(10):
            while True:
                found = read_document(client)
                stored = run(
                    client,
                    cache.conditional_update(
                        key="k",
                        mode="match",
                        expected=found.version,
                        value=b"%d" % (int(found.value) + 1),
                    ),
                )
                if isinstance(stored, cache.ConditionalUpdateStored):
                    break
                conflicts += 1
        return conflicts

    conflicts = together(work)

    assert read_document(client).value == b"%d" % (CALLERS * 10)
    assert sum(conflicts) > 0


def test_one_of_many_creations_wins(client: redis.Redis) -> None:
    replies = together(
        lambda number: run(
            client, cache.conditional_update(key="k", mode="create", value=b"%d" % number)
        )
    )

    stored = [
        number
        for number, reply in enumerate(replies)
        if isinstance(reply, cache.ConditionalUpdateStored)
    ]
    assert len(stored) == 1
    assert read_document(client).value == b"%d" % stored[0]
