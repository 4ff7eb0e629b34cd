"""The scripts of `semaphore` with waiters, threads, a full server and a faulty network."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import semaphore
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run, warm
from tests.cache.clock import Clocked
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.rig.waiters import Waiters
from tests.runtime.proxy import Proxy
from tests.runtime.samples import script
from tests.semaphore import model

LEASES, WAKE = "semaphore:{n}:leases", "semaphore:{n}:wake"
DAY = 86_400_000

ACQUIRE = semaphore.acquire(name="n", owner="a", limit=2, hold=60_000)
OTHER = semaphore.acquire(name="n", owner="b", limit=2, hold=60_000)
RENEW = semaphore.renew(name="n", owner="a", hold=60_000)
RELEASE = semaphore.release(name="n", owner="a")


def acquire(owner: str, ticket: str | None = None, *, limit: int = 2) -> Any:
    return semaphore.acquire(name="n", owner=owner, limit=limit, hold=60_000, ticket=ticket)


# --- waiters -----------------------------------------------------------------------------------


def test_waiters_are_served_in_turn_whoever_barges_in(client: redis.Redis) -> None:
    """The holder asks again at once, and a newcomer does; the one that waits longest gets it."""
    holders = ["first", "second"]
    for holder in holders:
        run(client, acquire(holder))
    with Waiters(client, WAKE) as waiters:
        waiters.come(8)

        for turn in range(8):
            leaving = holders.pop(0)
            run(client, semaphore.release(name="n", owner=leaving, grace=10_000))
            for barging in (leaving, "newcomer"):
                assert isinstance(run(client, acquire(barging)), semaphore.AcquireFull)
            number, ticket = waiters.wait_for(turn + 1)[-1]
            assert number == turn
            holders.append(f"waiter {number}")
            assert run(client, acquire(holders[-1], ticket)).in_use == 2
            assert client.exists(WAKE) == 0


def test_so_many_waiters_are_woken_as_slots_are_given_back(client: redis.Redis) -> None:
    for owner in "abc":
        run(client, acquire(owner, limit=3))
    with Waiters(client, WAKE) as waiters:
        waiters.come(4)

        for owner in "abc":
            run(client, semaphore.release(name="n", owner=owner, grace=10_000))
        woken = waiters.wait_for(3)

        assert sorted(number for number, _ in woken) == [0, 1, 2]
        assert waiters.blocked == 1
        for number, ticket in woken:
            granted = run(client, acquire(f"w{number}", ticket, limit=3))
            assert isinstance(granted, semaphore.AcquireAcquired)


# --- threads -----------------------------------------------------------------------------------

THREADS, LENGTH, LIMIT = 4, 40, 2

POP = Call(
    script("return redis.call('LPOP', KEYS[1]) or ''"),
    (WAKE.encode(),),
    (),
    decode=lambda reply: reply.decode() or None,
)


def step(state: model.State, asked: Any, result: Any) -> Any:
    """The model without time: nothing ends during a run."""
    verb, *operands = asked
    if verb == "pop":
        after, expected = model.pop(state)
        return after if result == expected else REFUSED
    answer: Any
    if verb == "acquire":
        owner, ticket = operands
        after, answer = model.acquire(state, 0, owner, LIMIT, 1, ticket)
    else:
        after, answer = model.release(state, 0, operands[0], 1)
    if isinstance(answer, semaphore.AcquireFull):
        is_same = isinstance(result, semaphore.AcquireFull) and result.in_use == answer.in_use
    else:
        is_same = result == answer
    return after if is_same else REFUSED


REFUSALS = (semaphore.ReleaseNotHeld,)
SEMAPHORE = Model(model.State(), step, observes=lambda _, result: isinstance(result, REFUSALS))


def worker(chance: random.Random, name: str, limit: int) -> Steps:
    """Take and give back, or take a waiter's turn."""
    ticket: str | None = None
    for turn in range(LENGTH):
        owner = f"{name}.{turn}"
        take = acquire(owner, ticket, limit=limit)
        (reply,) = yield Step((("acquire", owner, ticket),), Attempt((take,)))
        ticket = None
        if isinstance(reply, semaphore.AcquireFull) and chance.random() < 0.5:
            (ticket,) = yield Step((("pop",),), Attempt((POP,)))
        give = semaphore.release(name="n", owner=owner, grace=10_000)
        yield Step((("release", owner),), Attempt((give,)))


def record(client: redis.Redis, seed: int, limit: int) -> History:
    """The history of some threads on one semaphore."""
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), f"w{number}", limit))
        for number in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    kinds: Counter[type] = Counter()
    for seed in range(6):
        history = record(client, seed, LIMIT)
        verdict = check(SEMAPHORE, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        kinds.update(type(one.result) for one in history.operations)
    # Histories without competition prove nothing.
    assert min(kinds[semaphore.AcquireFull], kinds[semaphore.AcquireAcquired]) > 3


def test_a_semaphore_with_a_slot_too_many_would_be_found_out(client: redis.Redis) -> None:
    """The negative control: the first run in which so many compete shows it."""
    histories = (record(client, seed, LIMIT + 1).operations for seed in range(20))

    assert not all(check(SEMAPHORE, history).linearizable for history in histories)


# --- the clock ---------------------------------------------------------------------------------


def test_a_hold_ends_to_the_millisecond(client: redis.Redis) -> None:
    clocked = Clocked(client)
    clocked.run(acquire("a", limit=1))

    clocked.advance(59_999)
    assert clocked.run(acquire("b", limit=1)).retry_after.total_seconds() == 0.001
    clocked.advance(1)
    assert clocked.run(RENEW) == semaphore.RenewLost()
    assert clocked.run(RELEASE) == semaphore.ReleaseNotHeld()
    assert clocked.run(acquire("b", limit=1)).in_use == 1


def test_a_grace_ends_to_the_millisecond_each_for_its_own_slot(client: redis.Redis) -> None:
    clocked = Clocked(client)
    for owner in "ab":
        clocked.run(acquire(owner))
    clocked.run(semaphore.release(name="n", owner="a", grace=5_000))
    clocked.advance(1_000)
    clocked.run(semaphore.release(name="n", owner="b", grace=5_000))
    tickets = [client.lpop(WAKE), client.lpop(WAKE)]
    assert tickets == [b"b", b"a"]

    clocked.advance(3_999)
    assert clocked.run(acquire("c")) == semaphore.AcquireFull(0, timedelta(milliseconds=1))
    clocked.advance(1)
    assert clocked.run(acquire("c")) == semaphore.AcquireAcquired(1, replayed=False)
    assert clocked.run(acquire("d")) == semaphore.AcquireFull(1, timedelta(seconds=1))
    assert clocked.run(acquire("d", "a")) == semaphore.AcquireFull(1, timedelta(seconds=1))
    assert clocked.run(acquire("d", "b")) == semaphore.AcquireAcquired(2, replayed=False)


@pytest.mark.parametrize("back", [1, 400])
def test_after_a_clock_was_set_back_a_token_stays_for_no_more_than_a_day(
    client: redis.Redis, back: int
) -> None:
    clocked = Clocked(client)
    clocked.run(ACQUIRE)
    clocked.advance(-back * DAY)
    clocked.run(RELEASE)

    assert client.pexpiretime(WAKE) == clocked.now_ms + DAY


def test_after_a_clock_was_set_back_no_slot_is_taken_for_more_than_a_day(
    client: redis.Redis,
) -> None:
    """More holders than one call moves: the rest follow with the next refusals."""
    clocked = Clocked(client)
    for number in range(300):
        clocked.run(acquire(f"o{number}", limit=300))
    clocked.advance(-400 * DAY)

    first = clocked.run(acquire("x", limit=300))
    assert first.retry_after.total_seconds() == DAY / 1_000
    clocked.run(acquire("x", limit=300))
    clocked.advance(DAY)
    assert clocked.run(acquire("x", limit=300)).in_use == 1


# --- a full server, a faulty network -------------------------------------------------------------


@pytest.mark.parametrize("grace", [0, 1_000])
def test_a_slot_is_given_back_on_a_full_server(
    client: redis.Redis, make_full: Callable[[], None], grace: int
) -> None:
    """P30: without its flag the release itself failed, and the slot stayed taken."""
    run(client, ACQUIRE)
    make_full()

    released = run(client, semaphore.release(name="n", owner="a", grace=grace))
    assert released == semaphore.ReleaseReleased(0)
    assert client.llen(WAKE) == 1


@pytest.mark.parametrize("called", [ACQUIRE, OTHER, RENEW], ids=["again", "other", "renew"])
def test_a_full_server_refuses_all_else_before_anything_is_written(
    client: redis.Redis,
    make_full: Callable[[], None],
    dataset: Callable[[], object],
    called: Call[Any],
) -> None:
    run(client, ACQUIRE)
    before = dataset()
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, called)
    assert dataset() == before


def test_a_lost_reply_takes_one_slot(client: redis.Redis, proxy: Proxy) -> None:
    warm(client, semaphore)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")

        assert run(faulty, ACQUIRE) == semaphore.AcquireAcquired(1, replayed=True)
        assert proxy.met == 1
    assert client.zcard(LEASES) == 1


def test_a_release_whose_reply_was_lost_wakes_once(client: redis.Redis, proxy: Proxy) -> None:
    warm(client, semaphore)
    run(client, ACQUIRE)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")

        assert run(faulty, RELEASE) == semaphore.ReleaseNotHeld()
        assert proxy.met == 1
    assert client.llen(WAKE) == 1


@pytest.mark.parametrize(
    ("called", "index", "value"),
    [
        (ACQUIRE, 0, b""),
        (ACQUIRE, 0, b"x" * 49),
        (ACQUIRE, 3, b"x" * 49),
        (RENEW, 0, b""),
        (RENEW, 0, b"x" * 49),
        (RELEASE, 0, b""),
        (RELEASE, 0, b"x" * 49),
    ],
)
def test_a_bad_argument_past_the_binding_is_refused_before_any_write(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    index: int,
    value: bytes,
) -> None:
    run(client, ACQUIRE)
    args = list(called.args)
    args[index] = value
    before = dataset()

    with pytest.raises(semaphore.BadArgumentError):
        run(client, Call(called.script, called.keys, tuple(args), called.decode))
    assert dataset() == before
