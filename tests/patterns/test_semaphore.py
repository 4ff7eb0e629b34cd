"""`Semaphore` and `AsyncSemaphore`: so many at once, kept, handed over in turn, given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._plan import sleep
from redislua.patterns.semaphore import AcquireTimeout, AsyncSemaphore, LeaseLost, Semaphore
from tests.patterns.stage import Stage

LEASES, PASSING, WAKE = (f"semaphore:{{n}}:{suffix}" for suffix in ("leases", "passing", "wake"))
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
ms = timedelta(milliseconds=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(limit)`` is a semaphore of the surface's kind on an empty server.

    Where a test does not say, nothing is to be renewed before the session ends.
    """

    def semaphore(limit: Any = 2, name: str = "n", **options: Any) -> Any:
        return stage.make(Semaphore, AsyncSemaphore, name, limit, **{"hold": HOUR, **options})

    return semaphore


def test_as_many_hold_a_slot_as_there_are(stage: Stage, make: Any, client: Any) -> None:
    slots = [stage.call(make().acquire) for _ in range(2)]

    assert all(slot.is_held for slot in slots)
    assert stage.call(make().try_acquire) is None
    with pytest.raises(AcquireTimeout) as caught:
        stage.call(lambda: make().acquire(within=20 * ms))
    assert (caught.value.name, caught.value.waited >= 20 * ms) == ("n", True)
    stage.call(slots[0].release)
    stage.call(slots[0].release)
    assert client.zcard(LEASES) == 1
    assert stage.call(make().try_acquire).is_held


def test_callers_that_share_a_semaphore_are_never_too_many(stage: Stage, make: Any) -> None:
    semaphore = make(3)
    inside: list[int] = []
    most: list[int] = []

    def caller(number: int) -> Callable[[], Any]:
        return stage.within(
            semaphore,
            lambda _: inside.append(number),
            lambda _: most.append(len(inside)),
            lambda _: stage.pause(0.02),
            lambda _: inside.remove(number),
        )

    assert stage.together(*(caller(number) for number in range(20))) == [None] * 20
    assert max(most) == 3


def test_waiters_are_served_in_the_order_in_which_they_came(
    stage: Stage, make: Any, client: Any
) -> None:
    semaphore = make(1)
    served: list[int] = []
    slot = stage.call(semaphore.acquire)

    def waiter(number: int) -> Callable[[], Any]:
        enter = stage.within(semaphore, lambda _: served.append(number))
        return stage.in_turn(lambda: stage.queued(client, number), enter)

    stage.together(
        *(waiter(number) for number in range(6)),
        stage.in_turn(lambda: stage.queued(client, 6), slot.release),
    )

    assert served == list(range(6))


def test_every_slot_that_is_given_back_wakes_one(stage: Stage, make: Any, client: Any) -> None:
    semaphore = make(4)
    slots = [stage.call(semaphore.acquire) for _ in range(4)]
    entered: list[int] = []

    def waiter(number: int) -> Callable[[], Any]:
        return stage.within(semaphore, lambda _: entered.append(number), lambda _: stage.pause(0.3))

    stage.together(
        *(waiter(number) for number in range(4)),
        stage.in_turn(lambda: stage.queued(client, 4), *(slot.release for slot in slots)),
    )

    assert sorted(entered) == [0, 1, 2, 3]


def test_a_slot_is_renewed_while_the_block_runs(stage: Stage, make: Any) -> None:
    semaphore = make(1, hold=200 * ms)

    kept = stage.within(semaphore, lambda _: stage.pause(0.5), lambda slot: slot.is_held)

    assert stage.call(kept)
    assert stage.call(make(1).try_acquire) is not None


def test_the_slot_of_a_holder_that_died_is_free_after_its_hold(
    stage: Stage, make: Any, client: Any
) -> None:
    slot = stage.call(make(1, hold=50 * ms, renew=False).acquire)

    second = stage.call(lambda: make(1).acquire(within=30 * SECOND))

    assert second.is_held
    assert not slot.is_held
    with pytest.raises(LeaseLost):
        stage.call(slot.release)
    assert client.zcard(LEASES) == 1


def test_a_slot_that_the_server_lost_is_noticed(stage: Stage, make: Any, client: Any) -> None:
    told: list[str] = []
    slot = stage.call(make(1, hold=300 * ms, on_lost=told.append).acquire)
    client.delete(LEASES)

    stage.run(sleep(0.6))

    assert (told, slot.is_held) == (["n"], False)
    with pytest.raises(LeaseLost):
        slot.check()


def test_a_slot_can_be_held_for_longer(stage: Stage, make: Any, client: Any) -> None:
    slot = stage.call(make(hold=SECOND).acquire)

    stage.call(lambda: slot.extend(60 * SECOND))

    assert 30_000 < client.pttl(LEASES) <= 60_000
    assert slot.left > 30 * SECOND
    stage.call(slot.release)


@pytest.mark.parametrize(
    ("limit", "options", "kind", "named"),
    [
        (0, {}, InvalidArgumentValue, "limit"),
        (4_001, {}, InvalidArgumentValue, "limit"),
        ("2", {}, InvalidArgumentType, "limit"),
        (2, {"name": "a}"}, InvalidArgumentValue, "name"),
        (2, {"hold": timedelta(0)}, InvalidArgumentValue, "hold"),
        (2, {"wait": -SECOND}, InvalidArgumentValue, "wait"),
        (2, {"grace": 11 * SECOND}, InvalidArgumentValue, "grace"),
        (2, {"namespace": "{"}, InvalidArgumentValue, "namespace"),
    ],
)
def test_what_cannot_be_is_refused_when_the_semaphore_is_made(
    make: Any, limit: Any, options: Any, kind: type[Exception], named: str
) -> None:
    with pytest.raises(kind, match=named):
        make(limit, **options)
