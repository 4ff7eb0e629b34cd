"""Who gets a lock that was given back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import lock
from redislua.runtime import run
from tests.rig.waiters import Waiters

LOCK, WAKE = "lock:{n}:lock", "lock:{n}:wake"
HOLD = 60_000

ms = timedelta(milliseconds=1)


def acquire(owner: str, ticket: str | None = None) -> Any:
    return lock.acquire(name="n", owner=owner, hold=HOLD, ticket=ticket)


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
    ticket = client.lpop(WAKE).decode()

    for owner, shown in (("a", None), ("b", "1"), ("b", "x" * 16)):
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
    ticket = client.lpop(WAKE).decode()
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


@pytest.fixture
def waiters(client: redis.Redis) -> Iterator[Waiters]:
    """Callers that wait for the lock."""
    with Waiters(client, WAKE) as opened:
        yield opened


def test_waiters_are_served_in_turn_whoever_barges_in(
    client: redis.Redis, waiters: Waiters
) -> None:
    """The holder asks again at once, and a newcomer does; the one that waits longest gets it."""
    assert isinstance(run(client, acquire("first")), lock.AcquireAcquired)
    waiters.come(8)
    holder = "first"

    for turn in range(8):
        assert run(client, release(holder, grace=10_000)) == lock.ReleaseReleased()
        assert isinstance(run(client, acquire(f"{holder} again")), lock.AcquireHeld)
        assert isinstance(run(client, acquire("newcomer")), lock.AcquireHeld)
        number, ticket = waiters.wait_for(turn + 1)[-1]
        assert number == turn
        holder = f"waiter {number}"
        assert isinstance(run(client, acquire(holder, ticket)), lock.AcquireAcquired)
        assert client.exists(WAKE) == 0
    assert len(waiters.woken) == 8


def test_one_release_wakes_one_waiter(client: redis.Redis, waiters: Waiters) -> None:
    run(client, acquire("first"))
    waiters.come(4)

    run(client, release("first"))
    waiters.wait_for(1)

    assert client.llen(WAKE) == 0
    assert waiters.blocked == 3
