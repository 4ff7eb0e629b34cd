"""`Leader` and `AsyncLeader`: one leads, another follows, and nobody leads who does not know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.bindings import lock
from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._plan import sleep
from redislua.patterns.leader import AsyncLeader, Leader
from redislua.runtime import run
from tests.patterns.stage import Stage, blocked, until_blocked
from tests.runtime.proxy import Proxy

pytestmark = pytest.mark.client_side

LOCK = "lock:{n}:lock"
SECOND = timedelta(seconds=1)
LONG = timedelta(seconds=30)
ms = timedelta(milliseconds=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Iterator[Callable[..., Any]]:
    """``make(node)`` is a candidate of the surface's kind, stopped when the test ends."""
    made: list[Any] = []

    def candidate(node: str = "one", **options: Any) -> Any:
        made.append(stage.make(Leader, AsyncLeader, "n", node=node, **options))
        return made[-1]

    yield candidate
    for one in made:
        stage.call(one.stop)


def elect(stage: Stage, candidate: Any) -> Any:
    """Have it stand, and wait until it leads."""
    stage.call(candidate.start)
    assert stage.call(lambda: candidate.wait(LONG))
    return candidate


def test_one_of_several_candidates_leads(stage: Stage, make: Any, client: Any) -> None:
    first, others = elect(stage, make("one")), [make(f"other {number}") for number in range(3)]
    for other in others:
        stage.call(other.start)

    assert not any(stage.call(partial(one.wait, 50 * ms)) for one in others)
    assert [one.is_leader for one in (first, *others)] == [True, False, False, False]
    assert (first.fence.isdecimal(), others[0].fence) == (True, None)
    assert stage.call(others[0].current) == "one"


def test_a_leader_that_steps_down_is_followed_by_who_has_stood_longest(
    stage: Stage, make: Any, client: Any
) -> None:
    candidates = [elect(stage, make("0", hold=timedelta(hours=1)))]
    for number in range(1, 4):
        candidates.append(make(str(number), hold=timedelta(hours=1)))
        stage.call(candidates[-1].start)
        stage.run(until_blocked(client, number))

    fences = []
    for number, leader in enumerate(candidates):
        assert stage.call(partial(leader.wait, LONG))
        assert stage.call(leader.current) == str(number)
        fences.append(int(leader.fence))
        stage.call(leader.stop)
        assert (leader.is_leader, leader.fence) == (False, None)

    assert fences == sorted(set(fences))
    assert stage.call(candidates[0].current) is None


def test_a_leader_stays_for_longer_than_a_hold(stage: Stage, make: Any) -> None:
    leader = elect(stage, make("one", hold=200 * ms))
    fence = leader.fence
    stage.call(make("two").start)

    stage.run(sleep(0.5))

    assert leader.is_leader
    assert leader.fence == fence


def test_a_leader_that_died_is_followed_after_its_hold(
    stage: Stage, make: Any, client: Any
) -> None:
    """It was killed: nothing was given back and nobody was woken."""
    call = lock.acquire(name="n", owner="dead:0", hold=500)
    assert isinstance(run(client, call), lock.AcquireAcquired)
    candidate = make("one")
    stage.call(candidate.start)
    assert stage.call(candidate.current) == "dead"

    elect(stage, candidate)

    assert stage.call(candidate.current) == "one"


def test_whoever_leads_is_told_and_whoever_leads_no_more(
    stage: Stage, make: Any, client: Any
) -> None:
    told: list[Any] = []
    leader: Any = make(
        hold=600 * ms,
        on_elected=told.append,
        on_deposed=lambda: told.append((leader.is_leader, client.hget(LOCK, "o"))),
    )
    elect(stage, leader)
    client.delete(LOCK)  # the server has lost it
    stage.run(sleep(1.0))
    again = stage.call(lambda: leader.wait(LONG)) and leader.fence
    stage.call(leader.stop)

    first, deposed, second, stopped = told
    assert first.isdecimal()
    assert deposed == (False, None)
    assert second == again
    assert int(second) > int(first)
    assert stopped[0] is False
    assert stopped[1].startswith(b"one:")  # before another can lead


def test_whoever_cannot_take_up_the_work_leaves_it_to_another(stage: Stage, make: Any) -> None:
    def refuse(fence: str) -> None:
        raise ZeroDivisionError

    poor, good = make("poor", on_elected=refuse), make("good")
    stage.call(poor.start)

    elect(stage, good)

    assert not poor.is_leader
    assert stage.call(good.current) == "good"


def test_never_do_two_lead(stage: Stage, make: Any) -> None:
    """However often the leader steps down."""
    leading: list[str] = []
    crowds: list[list[str]] = []

    def candidate(node: str) -> Any:
        def elected(_: str) -> None:
            leading.append(node)
            crowds.append(list(leading))

        return make(node, on_elected=elected, on_deposed=lambda: leading.remove(node))

    candidates = [candidate(str(number)) for number in range(4)]
    for one in candidates:
        stage.call(one.start)
    for _ in range(12):
        stage.run(sleep(0.05))
        for one in candidates:
            if one.is_leader:
                stage.call(one.stop)
                stage.call(one.start)

    assert len(crowds) >= 6
    assert all(len(crowd) == 1 for crowd in crowds)


def test_standing_and_stopping_twice_does_nothing(stage: Stage, make: Any, client: Any) -> None:
    leader = elect(stage, make())
    fence = leader.fence
    stage.call(leader.start)
    assert leader.fence == fence

    stage.call(leader.stop)
    stage.call(leader.stop)
    elect(stage, leader)
    assert int(leader.fence) > int(fence)


def test_a_block_stands_and_steps_down(stage: Stage, make: Any, client: Any) -> None:
    leader = make()
    led = stage.within(leader, lambda one: one.wait(LONG), lambda one: one.is_leader)

    assert stage.call(led) is True
    assert not leader.is_leader
    assert stage.call(leader.current) is None


def test_a_candidate_that_stops_waiting_is_out_of_the_queue(
    stage: Stage, make: Any, client: Any
) -> None:
    elect(stage, make("one", hold=timedelta(hours=1)))
    quitter, patient = (make(node, hold=timedelta(hours=1)) for node in ("two", "three"))
    for number, one in enumerate((quitter, patient), 1):
        stage.call(one.start)
        stage.run(until_blocked(client, number))

    stage.call(quitter.stop)

    assert blocked(client) == 1


@pytest.mark.single_server("the network is one server's")
def test_a_leader_that_reaches_nobody_leads_no_more_once_another_may(
    stage: Stage, client: Any, proxy: Proxy
) -> None:
    own: Any = type(stage.client).from_url(proxy.url)
    kind: Any = AsyncLeader if stage.is_async else Leader
    leader = kind(own, "n", node="lost", hold=SECOND, deadline=0.1)
    rival = stage.make(Leader, AsyncLeader, "n", node="rival", hold=timedelta(hours=1))
    try:
        elect(stage, leader)
        proxy.arm("reset", pattern=b"EVALSHA", shots=100_000)
        stage.call(rival.start)
        seen: list[tuple[bool, bool]] = []
        until = time.monotonic() + 30
        while not rival.is_leader and time.monotonic() < until:
            seen.append((leader.is_leader, rival.is_leader))
            stage.run(sleep(0.01))

        assert rival.is_leader
        assert not leader.is_leader
        assert (True, False) in seen
        assert (True, True) not in seen
    finally:
        stage.call(leader.stop)
        stage.call(rival.stop)
        stage.call(lambda: own.aclose() if stage.is_async else own.close())


def test_a_node_has_a_name_without_being_given_one(stage: Stage, make: Any) -> None:
    leader = elect(stage, make(""))

    assert 1 <= len(stage.call(leader.current)) <= 31


@pytest.mark.parametrize(
    ("options", "kind", "named"),
    [
        ({"node": "x" * 32}, InvalidArgumentValue, "node"),
        ({"node": 5}, InvalidArgumentType, "node"),
        ({"hold": timedelta(0)}, InvalidArgumentValue, "hold"),
        ({"namespace": "a b"}, InvalidArgumentValue, "namespace"),
    ],
)
def test_what_cannot_be_is_refused_when_the_candidate_is_made(
    stage: Stage, client: Any, options: Any, kind: type[Exception], named: str
) -> None:
    with pytest.raises(kind, match=named):
        stage.make(Leader, AsyncLeader, "n", **options)


def test_a_wait_that_is_none_is_refused(stage: Stage, make: Any) -> None:
    with pytest.raises(InvalidArgumentType, match="within"):
        stage.call(lambda: make().wait(5))
