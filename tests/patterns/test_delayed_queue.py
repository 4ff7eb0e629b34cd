"""`DelayedQueue` and `AsyncDelayedQueue`: what goes in, what comes out, what is given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgumentType, InvalidArgumentValue
from redislua.patterns.codecs import BYTES
from redislua.patterns.delayed_queue import (
    AsyncDelayedQueue,
    DelayedQueue,
    GiveUp,
    Job,
    Placed,
    Retry,
    exponential,
)
from tests.patterns.stage import Stage
from tests.patterns.work import Declined

ms = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
NEVER = timedelta(days=300)
PAST = datetime(2020, 1, 1, tzinfo=UTC)

Make = Callable[..., Any]


@pytest.fixture
def make(stage: Stage, client: Any) -> Make:
    """``make(lease=...)`` is a queue of the surface's kind on an empty server."""
    return lambda name="q", **options: stage.make(DelayedQueue, AsyncDelayedQueue, name, **options)


def drain(stage: Stage, queue: Any, handler: Any, concurrency: int = 1) -> None:
    """Have all that is due done."""
    worker = queue.worker(handler, concurrency=concurrency)
    stage.call(lambda: worker.run(until_empty=True))


def counted(stage: Stage, queue: Any) -> tuple[int, int, int]:
    counts = stage.call(queue.counts)
    return counts.due, counts.in_flight, counts.dead


# --- scheduling ---------------------------------------------------------------------------------


def test_what_was_scheduled_is_done_in_the_order_in_which_it_is_due(
    stage: Stage, make: Make
) -> None:
    queue, done = make(), list[Any]()
    for number in (3, 1, 2):
        due = PAST + number * HOUR
        placed = stage.call(partial(queue.schedule, number, id=f"j{number}", run_at=due))
        assert placed == Placed(f"j{number}", "scheduled", due)

    drain(stage, queue, done.append)

    assert [(job.id, job.value, job.attempt) for job in done] == [
        ("j1", 1, 1),
        ("j2", 2, 1),
        ("j3", 3, 1),
    ]
    assert counted(stage, queue) == (0, 0, 0)


def test_what_is_not_due_is_left_alone(stage: Stage, make: Make) -> None:
    queue, done = make(), list[Any]()
    now = stage.call(partial(queue.schedule, "now"))
    later = stage.call(partial(queue.schedule, "later", delay=HOUR))

    drain(stage, queue, done.append)

    assert [job.value for job in done] == ["now"]
    assert later.run_at - now.run_at >= HOUR
    assert counted(stage, queue) == (1, 0, 0)


def test_a_job_without_a_name_gets_one_of_its_own(stage: Stage, make: Make) -> None:
    queue = make()

    first, second = (stage.call(partial(queue.schedule, "v", delay=HOUR)) for _ in range(2))

    assert first.id != second.id
    assert stage.call(lambda: queue.remove(first.id)) == "due"
    assert stage.call(lambda: queue.remove(first.id)) is None
    assert counted(stage, queue) == (1, 0, 0)


def test_of_two_jobs_of_one_name_the_first_stays_or_the_second_takes_its_place(
    stage: Stage, make: Make
) -> None:
    queue, done = make(), list[Any]()
    due = PAST.astimezone(timezone(timedelta(hours=5)))
    stage.call(partial(queue.schedule, "one", id="j", run_at=due))

    exists = stage.call(partial(queue.schedule, "two", id="j"))
    assert exists == Placed("j", "exists", PAST)
    replaced = stage.call(partial(queue.schedule, "three", id="j", run_at=due, replace=True))
    assert replaced == Placed("j", "rescheduled", PAST)

    drain(stage, queue, done.append)
    assert [job.value for job in done] == ["three"]


def test_queues_and_namespaces_do_not_know_of_each_other(stage: Stage, make: Make) -> None:
    several = {name: make(name, namespace=space) for name, space in (("a", ""), ("b", "x"))}
    for name, queue in several.items():
        stage.call(partial(queue.schedule, name, id="j"))

    for name, queue in several.items():
        done: list[Any] = []
        drain(stage, queue, done.append)
        assert [job.value for job in done] == [name]


def test_values_are_what_the_codec_makes_of_them(stage: Stage, make: Make) -> None:
    queue, done = make(codec=BYTES), list[Any]()
    stage.call(partial(queue.schedule, b"\x00\xff"))

    drain(stage, queue, done.append)

    assert done[0].value == b"\x00\xff"


# --- attempts -----------------------------------------------------------------------------------


def test_a_job_whose_handler_raises_is_tried_again_after_its_backoff(
    stage: Stage, make: Make
) -> None:
    waits: list[int] = []

    def backoff(attempt: int) -> timedelta:
        waits.append(attempt)
        return timedelta(0) if attempt < 3 else HOUR

    def refuse(job: Job[str]) -> None:
        seen.append(job.attempt)
        raise Declined

    queue, seen = make(backoff=backoff), list[int]()
    stage.call(partial(queue.schedule, "v"))

    drain(stage, queue, refuse)

    assert seen == waits == [1, 2, 3]
    counts = stage.call(queue.counts)
    assert (counts.due, counts.ready) == (1, 0)
    assert HOUR - timedelta(minutes=1) < counts.next_after <= HOUR


def test_a_handler_may_say_when_to_try_again(stage: Stage, make: Make) -> None:
    queue, seen = make(backoff=lambda _: NEVER), list[int]()

    def refuse(job: Job[str]) -> None:
        seen.append(job.attempt)
        raise Retry(timedelta(0) if job.attempt < 3 else None)

    stage.call(partial(queue.schedule, "v"))
    drain(stage, queue, refuse)

    assert seen == [1, 2, 3]
    assert stage.call(queue.counts).next_after > timedelta(days=299)


def test_what_failed_too_often_is_given_up_and_kept(stage: Stage, make: Make) -> None:
    queue = make(max_attempts=2, backoff=lambda _: timedelta(0))
    stage.call(partial(queue.schedule, {"to": "ada"}, id="j"))

    drain(stage, queue, lambda _: 1 // 0)

    (dead,) = stage.call(queue.dead)
    assert (dead.id, dead.attempts, dead.value) == ("j", 2, {"to": "ada"})
    assert abs(datetime.now(UTC) - dead.died_at) < HOUR
    assert counted(stage, queue) == (0, 0, 1)


def test_a_handler_may_give_up_at_once(stage: Stage, make: Make) -> None:
    queue = make()

    def refuse(job: Job[str]) -> None:
        raise GiveUp

    stage.call(partial(queue.schedule, "v", id="j"))
    drain(stage, queue, refuse)

    assert [job.attempts for job in stage.call(queue.dead)] == [1]


def test_what_cannot_be_read_is_tried_again_and_given_up(stage: Stage, make: Make) -> None:
    """Another version of the application may read it."""
    raw, queue = make(codec=BYTES), make(max_attempts=2, backoff=lambda _: timedelta(0))
    stage.call(partial(raw.schedule, b"\xff", id="j"))
    done: list[Any] = []

    drain(stage, queue, done.append)

    (dead,) = stage.call(queue.dead)
    assert (dead.payload, dead.attempts, done) == (b"\xff", 2, [])
    with pytest.raises(ValueError, match="utf-8"):
        assert dead.value


def test_what_was_given_up_gets_another_chance(stage: Stage, make: Make) -> None:
    queue, done = make(max_attempts=1), list[Any]()
    stage.call(partial(queue.schedule, "v", id="j"))
    drain(stage, queue, lambda _: 1 // 0)
    (dead,) = stage.call(queue.dead)

    assert stage.call(partial(queue.revive, dead, delay=HOUR)).outcome == "rescheduled"
    assert counted(stage, queue) == (1, 0, 0)
    stage.call(partial(queue.revive, dead))
    drain(stage, queue, done.append)

    assert [(job.value, job.attempt) for job in done] == [("v", 1)]
    assert stage.call(queue.dead) == []


def test_the_dead_are_listed_whatever_their_number_and_size(stage: Stage, make: Make) -> None:
    queue = make(max_attempts=1, keep_dead=120)
    for number in range(130):
        value = "x" * 50_000 if number % 20 == 0 else number
        stage.call(partial(queue.schedule, value, id=f"{number:03}"))
    drain(stage, queue, lambda _: 1 // 0, concurrency=10)

    found = stage.call(partial(queue.dead, 0, 1_000))

    assert len({job.id for job in found}) == len(found) == 120
    assert stage.call(partial(queue.dead, 110)) == found[110:]
    assert stage.call(partial(queue.dead, 0, 7)) == found[:7]


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"lease": timedelta(0)}, "lease"),
        ({"lease": timedelta(days=2)}, "lease"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"keep_dead": -1}, "keep_dead"),
        ({"namespace": "a b"}, "namespace"),
        ({"name": "a{b"}, "name"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_said(make: Make, options: Any, name: str) -> None:
    with pytest.raises(InvalidArgumentValue) as caught:
        make(**options)
    assert caught.value.parameter == name


@pytest.mark.parametrize("concurrency", [0, 1_001])
def test_a_worker_does_one_to_a_thousand_jobs_at_once(make: Make, concurrency: int) -> None:
    with pytest.raises(InvalidArgumentValue, match="concurrency"):
        make().worker(print, concurrency=concurrency)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"run_at": datetime(2030, 1, 1)}, InvalidArgumentValue),  # noqa: DTZ001
        ({"run_at": 5}, InvalidArgumentType),
        ({"run_at": PAST, "delay": HOUR}, InvalidArgumentValue),
        ({"delay": -HOUR}, InvalidArgumentValue),
        ({"delay": timedelta(days=400)}, InvalidArgumentValue),
        ({"id": ""}, InvalidArgumentValue),
        ({"id": "x" * 65}, InvalidArgumentValue),
    ],
)
def test_a_job_that_cannot_be_is_refused(
    stage: Stage, make: Make, client: Any, given: Any, kind: type
) -> None:
    with pytest.raises(kind):
        stage.call(partial(make().schedule, "v", **given))
    assert client.dbsize() == 0


def test_waits_double_up_to_the_longest_and_differ(stage: Stage) -> None:
    even = exponential(timedelta(seconds=2), timedelta(minutes=1), jitter=0)

    assert [even(attempt).total_seconds() for attempt in (1, 2, 3, 5, 6, 10**6)] == [
        2,
        4,
        8,
        32,
        60,
        60,
    ]
    spread = {exponential(HOUR, HOUR, jitter=0.5)(1) for _ in range(50)}
    assert len(spread) > 40
    assert all(HOUR / 2 <= one <= HOUR for one in spread)
    for bad in ({"first": -HOUR}, {"jitter": 1.5}):
        with pytest.raises(InvalidArgumentValue):
            exponential(**bad)


def test_until_empty_does_not_wait_for_a_server(stage: Stage) -> None:
    kind = type(stage.client)
    if "Cluster" in kind.__name__:
        pytest.skip("a client of a cluster asks its nodes when it is made")
    gone = kind.from_url("redis://127.0.0.1:1")
    queue: Any = (AsyncDelayedQueue if stage.is_async else DelayedQueue)(gone, "q", deadline=0.2)

    with pytest.raises(CallError):
        drain(stage, queue, print)
