"""Who gets a lock that was given back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import lock
from redislua.runtime import run

LOCK, WAKE = "lock:{n}:lock", "lock:{n}:wake"
HOLD = 60_000

ms = timedelta(milliseconds=1)


def acquire(owner: str, ticket: bytes | None = None, hold: int = HOLD) -> Any:
    text = None if ticket is None else ticket.decode()
    return lock.acquire(name="n", owner=owner, hold=hold, ticket=text)


def release(owner: str, **arguments: Any) -> Any:
    return lock.release(name="n", owner=owner, **arguments)


# --- on every way of calling -----------------------------------------------------------------


def test_where_nobody_waits_the_lock_is_free_at_once(call: Any, client: Any) -> None:
    call(acquire("a"))
    call(release("a"))
    assert client.llen(WAKE) == 1

    assert isinstance(call(acquire("b")), lock.AcquireAcquired)
    assert client.exists(WAKE) == 0


def test_once_somebody_was_woken_nobody_else_gets_the_lock(call: Any, client: Any) -> None:
    taken = call(acquire("a"))
    call(release("a", grace=10_000))
    ticket = client.lpop(WAKE)

    for owner, shown in (("a", None), ("b", b"1"), ("b", b"x" * 16)):
        passed_over = call(acquire(owner, shown))
        assert isinstance(passed_over, lock.AcquireHeld)
        assert 0 * ms < passed_over.retry_after <= 10_000 * ms
        assert passed_over.fence == taken.fence
    assert call(release("a")) == lock.ReleaseAlreadyFree()
    assert isinstance(call(acquire("c", ticket)), lock.AcquireAcquired)
    assert call(acquire("c", ticket)).replayed
    assert isinstance(call(acquire("d", ticket)), lock.AcquireHeld)


def test_whoever_was_woken_and_died_keeps_the_others_for_the_grace_alone(
    call: Any, client: Any
) -> None:
    call(acquire("a"))
    call(release("a", grace=1))
    ticket = client.lpop(WAKE)
    time.sleep(0.02)

    assert isinstance(call(acquire("b")), lock.AcquireAcquired)
    assert isinstance(call(acquire("late", ticket)), lock.AcquireHeld)
    assert call(release("b")) == lock.ReleaseReleased()


def test_without_a_grace_whoever_asks_first_gets_the_lock(call: Any, client: Any) -> None:
    call(acquire("a"))
    call(release("a", grace=0))

    assert client.exists(LOCK) == 0
    assert client.lpop(WAKE) is not None
    assert isinstance(call(acquire("b")), lock.AcquireAcquired)


def test_a_token_waits_for_whoever_was_told_to_ask_again(call: Any, client: Any) -> None:
    """It stays until the hold would have ended, and then all of them have asked again."""
    call(acquire("a"))
    retry_after = call(acquire("b")).retry_after
    call(release("a", grace=1))

    assert client.pttl(WAKE) * ms > retry_after / 2
    time.sleep(0.02)
    assert client.exists(LOCK) == 0
    assert client.lpop(WAKE) is not None


def test_only_a_release_wakes(call: Any, client: Any) -> None:
    for one in (release("a"), acquire("a"), release("b"), acquire("a"), acquire("b")):
        call(one)
        assert client.exists(WAKE) == 0


def test_there_is_never_a_second_token(call: Any, client: Any) -> None:
    """Not even when something else pushed one, with neither an expiry nor a bound."""
    call(acquire("a"))
    client.rpush(WAKE, "stray", "stray")

    call(release("a"))

    assert client.llen(WAKE) == 1
    assert 0 < client.pttl(WAKE) <= HOLD


# --- with callers that block -------------------------------------------------------------------


class Queue:
    """Waiters in BLPOP, in the order in which they came."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(32)
        self.woken: list[tuple[int, bytes]] = []
        self._changed = threading.Condition()

    def join(self, count: int) -> None:
        """Let so many waiters come, one after the other."""
        for number in range(count):
            blocked: Any = self._client.info("clients")
            self._threads.submit(self._wait, number)
            while self._blocked() <= blocked["blocked_clients"]:
                time.sleep(0.001)

    def next(self, count: int) -> tuple[int, bytes]:
        """The waiter that was woken as number ``count``, and its ticket."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.woken) >= count, timeout=30)
            return self.woken[count - 1]

    def close(self) -> None:
        """Wake whoever still waits."""
        while self._blocked():
            self._client.lpush(WAKE, "end")
        self._threads.shutdown()

    def _blocked(self) -> int:
        return int(self._client.info("clients")["blocked_clients"])

    def _wait(self, number: int) -> None:
        popped: Any = self._client.blpop([WAKE], timeout=30)
        with self._changed:
            self.woken.append((number, popped[1]))
            self._changed.notify_all()


@pytest.fixture
def queue(client: redis.Redis) -> Any:
    """Waiters on the lock of the test's server."""
    opened = Queue(client)
    yield opened
    opened.close()


def test_waiters_are_served_in_turn_whoever_barges_in(client: redis.Redis, queue: Queue) -> None:
    """The holder asks again at once, and a newcomer does; the one that waits longest gets it."""
    assert isinstance(run(client, acquire("first")), lock.AcquireAcquired)
    queue.join(8)
    holder = "first"

    for turn in range(8):
        assert run(client, release(holder, grace=10_000)) == lock.ReleaseReleased()
        assert isinstance(run(client, acquire(f"{holder} again")), lock.AcquireHeld)
        assert isinstance(run(client, acquire("newcomer")), lock.AcquireHeld)
        number, ticket = queue.next(turn + 1)
        assert number == turn
        holder = f"waiter {number}"
        assert isinstance(run(client, acquire(holder, ticket)), lock.AcquireAcquired)
        assert client.exists(WAKE) == 0
    assert len(queue.woken) == 8


def test_one_release_wakes_one_waiter(client: redis.Redis, queue: Queue) -> None:
    run(client, acquire("first"))
    queue.join(4)

    run(client, release("first"))
    queue.next(1)

    assert client.llen(WAKE) == 0
    assert client.info("clients")["blocked_clients"] == 3
