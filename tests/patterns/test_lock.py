"""`Lock` and `AsyncLock`: one holder at a time, kept, handed over in turn, and given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._plan import sleep
from redislua.patterns.lock import (
    AcquireTimeout,
    AsyncLock,
    InspectFree,
    InspectHeld,
    LeaseLost,
    Lock,
)
from redislua.runtime import configure
from redislua.runtime.watching import Ended
from tests.patterns.stage import Stage
from tests.runtime.proxy import Proxy

LOCK, FENCE, WAKE = "lock:{n}:lock", "lock:{n}:fence", "lock:{n}:wake"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ms = timedelta(milliseconds=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make()`` is a lock of the surface's kind on an empty server.

    Where a test does not say, nothing is to be renewed before the session ends.
    """
    return lambda name="n", **options: stage.make(
        Lock, AsyncLock, name, **{"hold": HOUR, **options}
    )


# --- holding -------------------------------------------------------------------------------------


def test_in_the_block_and_only_there_the_lock_is_held(stage: Stage, make: Any, client: Any) -> None:
    lock, other = make(), make()

    def body(lease: Any) -> tuple[Any, ...]:
        lease.check()
        held = client.hmget(LOCK, "o", "f")
        return lease.is_held, lease.name, lease.fence, held, lease

    is_held, name, fence, stored, lease = stage.call(stage.within(lock, body))

    assert (is_held, name) == (True, "n")
    assert stored[1] == fence.encode()
    assert not lease.is_held
    assert lease.left == timedelta(0)
    assert stage.call(other.inspect) == InspectFree(fence)
    with pytest.raises(LeaseLost, match="'n'"):
        lease.check()


def test_fences_grow_from_holder_to_holder(stage: Stage, make: Any) -> None:
    fences = [int(stage.call(stage.within(make(), lambda lease: lease.fence))) for _ in range(5)]

    assert fences == sorted(set(fences))


def test_a_lock_that_is_held_is_not_to_be_had(stage: Stage, make: Any, client: Any) -> None:
    lease = stage.call(make().acquire)
    other = make()

    assert stage.call(other.try_acquire) is None
    with pytest.raises(AcquireTimeout) as caught:
        stage.call(lambda: other.acquire(within=20 * ms))
    assert caught.value.name == "n"
    assert caught.value.waited >= 20 * ms
    assert timedelta(0) < caught.value.retry_after <= HOUR
    held = stage.call(other.inspect)
    assert isinstance(held, InspectHeld)
    assert held.fence == lease.fence
    stage.call(lease.release)
    assert client.llen(WAKE) == 1  # whoever gave up waits no more


def test_a_second_release_does_nothing(stage: Stage, make: Any) -> None:
    lease = stage.call(make().acquire)
    stage.call(lease.release)
    second = stage.call(make().acquire)

    stage.call(lease.release)

    assert second.is_held
    assert stage.call(make().try_acquire) is None


def test_locks_of_two_namespaces_are_apart(stage: Stage, make: Any, client: Any) -> None:
    stage.call(make(namespace="a").acquire)

    assert stage.call(make(namespace="b").try_acquire) is not None
    assert {key.partition(b":")[0] for key in client.keys("*")} == {b"a", b"b"}


def test_callers_that_share_a_lock_hold_it_one_at_a_time(stage: Stage, make: Any) -> None:
    lock = make()
    inside: list[str] = []
    alone: list[bool] = []

    def caller() -> Callable[[], Any]:
        return stage.within(
            lock,
            lambda lease: inside.append(lease.fence),
            lambda _: stage.pause(0.002),
            lambda lease: alone.append(inside == [lease.fence]),
            lambda _: inside.clear(),
        )

    assert stage.together(*(caller() for _ in range(16))) == [None] * 16
    assert alone == [True] * 16


def test_a_block_that_is_left_elsewhere_says_so_and_one_on_the_lease_does_not_mind(
    stage: Stage, make: Any
) -> None:
    enter, leave = ("__aenter__", "__aexit__") if stage.is_async else ("__enter__", "__exit__")
    lock, end = make(), (None, None, None)

    def each(held: Any) -> list[Any]:
        (entered,) = stage.together(getattr(held, enter))
        (left,) = stage.together(lambda: getattr(held, leave)(*end))
        return [entered, left]

    lease, problem = each(lock)
    assert isinstance(problem, RuntimeError)
    assert lease.is_held
    assert each(lease) == [lease, None]
    assert not lease.is_held


# --- renewing ------------------------------------------------------------------------------------


def test_a_hold_is_renewed_while_the_block_runs(stage: Stage, make: Any) -> None:
    lock, other = make(hold=200 * ms), make()

    kept = stage.within(lock, lambda _: stage.pause(0.5), lambda lease: lease.is_held)

    assert stage.call(kept)
    assert stage.call(other.try_acquire) is not None


def test_a_hold_that_nobody_renews_ends_and_the_block_says_so(stage: Stage, make: Any) -> None:
    lock = make(hold=50 * ms, renew=False)
    seen: list[bool] = []

    lost = stage.within(lock, lambda _: stage.pause(0.1), lambda lease: seen.append(lease.is_held))

    with pytest.raises(LeaseLost):
        stage.call(lost)
    assert seen == [False]
    assert stage.call(make().try_acquire) is not None


def test_what_the_block_raises_is_not_hidden_by_a_lost_lock(stage: Stage, make: Any) -> None:
    lock = make(hold=1 * ms, renew=False)

    failing = stage.within(lock, lambda _: stage.pause(0.02), lambda _: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        stage.call(failing)


def test_a_lock_that_the_server_lost_is_noticed(stage: Stage, make: Any, client: Any) -> None:
    """As after a failover: somebody else has it, and the holder is told."""
    told: list[str] = []
    lock = make(hold=300 * ms, on_lost=told.append)
    lease = stage.call(lock.acquire)
    client.delete(LOCK)
    second = stage.call(make().acquire)

    stage.run(sleep(0.6))

    assert told == ["n"]
    assert not lease.is_held
    with pytest.raises(LeaseLost):
        stage.call(lease.release)
    with pytest.raises(LeaseLost):
        stage.call(lease.extend)
    assert second.is_held
    assert isinstance(stage.call(make().inspect), InspectHeld)


@pytest.mark.parametrize("renew", [True, False])
def test_a_hold_can_be_made_longer(stage: Stage, make: Any, client: Any, renew: bool) -> None:
    lease = stage.call(make(renew=renew, hold=SECOND).acquire)

    stage.call(lambda: lease.extend(MINUTE))

    assert 30_000 < client.pttl(LOCK) <= 60_000
    assert MINUTE / 2 < lease.left <= MINUTE
    stage.call(lease.release)


def test_a_lock_that_was_lost_cannot_be_made_longer(stage: Stage, make: Any, client: Any) -> None:
    lease = stage.call(make().acquire)
    client.delete(LOCK)

    with pytest.raises(LeaseLost):
        stage.call(lease.extend)
    assert not lease.is_held


# --- waiting ---------------------------------------------------------------------------------------


def test_a_waiter_is_woken_and_does_not_poll(stage: Stage, make: Any, client: Any) -> None:
    asked: list[str] = []

    class Watcher:
        def on_call(self, ended: Ended) -> None:
            asked.append(ended.call.script.name)

    first = stage.call(make("watched").acquire)
    configure(stage.client, observer=Watcher())
    try:
        second, _ = stage.together(
            make("watched").acquire,
            stage.in_turn(lambda: stage.queued(client, 1), lambda: stage.pause(0.3), first.release),
        )
    finally:
        configure(stage.client, observer=None)

    assert second.is_held
    assert asked.count("lock.acquire") == 2  # refused, and then woken
    stage.call(second.release)


def test_waiters_are_served_in_the_order_in_which_they_came(
    stage: Stage, make: Any, client: Any
) -> None:
    lock = make()
    served: list[int] = []
    first = stage.call(lock.acquire)

    def waiter(number: int) -> Callable[[], Any]:
        enter = stage.within(lock, lambda _: served.append(number))
        return stage.in_turn(lambda: stage.queued(client, number), enter)

    stage.together(
        *(waiter(number) for number in range(6)),
        stage.in_turn(lambda: stage.queued(client, 6), first.release),
    )

    assert served == list(range(6))


@pytest.mark.single_server("a thousand turns on one server are enough")
def test_nobody_starves_in_a_thousand_turns(stage: Stage, make: Any) -> None:
    """Each asks again as soon as it has given back, and all others come before it."""
    lock, callers = make(), 20
    turns: list[int] = []

    def caller(number: int) -> Callable[[], Any]:
        enter = stage.within(lock, lambda _: turns.append(number))

        def work() -> None:
            while len(turns) < 1_000:
                enter()

        async def awork() -> None:
            while len(turns) < 1_000:
                await enter()

        return awork if stage.is_async else work

    found = stage.together(*(caller(number) for number in range(callers)))

    assert found == [None] * callers
    steady = turns[100:]  # all have come by then
    places = [
        [place for place, who in enumerate(steady) if who == number] for number in range(callers)
    ]
    assert min(map(len, places)) > len(steady) / callers / 4
    assert max(later - one for own in places for one, later in pairwise(own)) <= 10 * callers


# --- a faulty network --------------------------------------------------------------------------------


@pytest.fixture
def faulty(stage: Stage, client: Any, proxy: Proxy) -> Any:
    """``faulty()`` is a lock whose client comes through a faulty network."""
    own: Any = type(stage.client).from_url(proxy.url)
    kind: Any = AsyncLock if stage.is_async else Lock
    yield lambda **options: kind(own, "n", **options)
    stage.call(lambda: own.aclose() if stage.is_async else own.close())


network = pytest.mark.single_server("the network is one server's")


@network
def test_lost_replies_lose_no_lock(stage: Stage, make: Any, faulty: Any, proxy: Proxy) -> None:
    """P27: of the acquisition, and of the release, whose second execution finds nothing."""
    lock = faulty()
    stage.call(stage.within(lock, lambda _: None))  # from here on the scripts are there

    proxy.arm("drop_reply")
    held = stage.within(lock, lambda _: proxy.arm("drop_reply"), lambda lease: lease.is_held)

    assert stage.call(held) is True
    assert proxy.met == 2
    assert stage.call(make().try_acquire) is not None


@network
def test_a_release_that_cannot_be_told_is_no_error_of_the_block(
    stage: Stage, make: Any, faulty: Any, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    lock = faulty(deadline=0.3, hold=5 * SECOND)

    cut_off = stage.within(
        lock,
        lambda _: proxy.arm("reset", pattern=b"EVALSHA", shots=1_000),
        lambda _: "done",
    )

    assert stage.call(cut_off) == "done"
    assert "whose hold ends by itself" in caplog.text
    assert stage.call(make().try_acquire) is None


@network
def test_renewals_outlive_a_short_outage(stage: Stage, faulty: Any, proxy: Proxy) -> None:
    lease = stage.call(faulty(deadline=0.1, hold=SECOND).acquire)
    proxy.arm("reset", pattern=b"EVALSHA", shots=2)

    stage.run(sleep(1.4))

    assert proxy.met == 2
    assert lease.is_held
    stage.call(lease.release)


@network
def test_a_holder_that_reaches_nobody_knows_when_its_hold_is_over(
    stage: Stage, faulty: Any, proxy: Proxy
) -> None:
    told: list[str] = []
    lease = stage.call(faulty(deadline=0.1, hold=SECOND, on_lost=told.append).acquire)
    proxy.arm("reset", pattern=b"EVALSHA", shots=1_000)

    stage.run(sleep(1.5))

    assert not lease.is_held
    assert told == ["n"]


@network
def test_an_acquisition_that_fails_says_so(stage: Stage, faulty: Any, proxy: Proxy) -> None:
    proxy.arm("reset", pattern=b"EVALSHA", shots=1_000)

    with pytest.raises(CallError):
        stage.call(faulty(deadline=0.2).acquire)


# --- what cannot be ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "kind", "named"),
    [
        ("n", {"hold": timedelta(0)}, InvalidArgumentValue, "hold"),
        ("n", {"hold": timedelta(days=2)}, InvalidArgumentValue, "hold"),
        ("n", {"hold": 30}, InvalidArgumentType, "hold"),
        ("n", {"wait": -SECOND}, InvalidArgumentValue, "wait"),
        ("n", {"wait": 5}, InvalidArgumentType, "wait"),
        ("n", {"grace": MINUTE}, InvalidArgumentValue, "grace"),
        ("n", {"keep_fence": timedelta(0)}, InvalidArgumentValue, "keep_fence"),
        ("n", {"namespace": "a b"}, InvalidArgumentValue, "namespace"),
        ("n", {"deadline": 0}, InvalidArgumentValue, "deadline"),
        ("a{b", {}, InvalidArgumentValue, "name"),
        ("", {}, InvalidArgumentValue, "name"),
    ],
)
def test_what_cannot_be_is_refused_when_the_lock_is_made(
    make: Any, name: str, options: Any, kind: type[Exception], named: str
) -> None:
    with pytest.raises(kind, match=named):
        make(name, **options)


def test_a_wait_that_is_none_is_refused(stage: Stage, make: Any) -> None:
    with pytest.raises(InvalidArgumentType, match="within"):
        stage.call(lambda: make().acquire(within=5))
