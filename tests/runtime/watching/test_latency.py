"""Which calls are too slow, what is logged of them, and what watching costs."""

from __future__ import annotations

import logging
import random
import timeit
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redislua.errors import (
    InvalidArgument,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    ScriptError,
)
from redislua.runtime.watching import Breaker, Ended, LatencyGuard, Observer
from tests.runtime.samples import call
from tests.runtime.watching.watched import at_once, ended, made, watched

ABOUT: dict[str, Any] = {"script": "sample.script@1.2.3"}

SLOW = """
local sum = 0
for i = 1, 1e7 do sum = sum + i end
return 1"""


class Verdicts(logging.Handler):
    """Collects the records of the guards, without the cost of a log that shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def verdicts() -> Iterator[list[Any]]:
    """What guards log."""
    handler = Verdicts()
    logger = logging.getLogger("redislua.latency")
    logger.addHandler(handler)
    yield handler.records
    logger.removeHandler(handler)


def milliseconds(time: timedelta | None) -> float:
    assert time is not None
    return time / timedelta(milliseconds=1)


def test_a_slow_call_is_logged_with_all_that_is_known_of_it(verdicts: list[Any]) -> None:
    guard = LatencyGuard(limit=timedelta(milliseconds=5))
    guard.on_call(ended(1))
    assert verdicts == []

    guard.on_call(ended(8, of=made("limit.gcra", keys=(b"limit:{a}", b"\xff"))))

    (record,) = verdicts
    assert (record.name, record.levelno) == ("redislua.latency", logging.WARNING)
    assert (record.script, record.version) == ("limit.gcra", "1.2.3")
    assert record.keys == ["'limit:{a}'", "'\\xff'"]
    assert (record.seconds, record.limit, record.floor) == (0.008, 0.005, 0.001)
    assert record.getMessage() == (
        "limit.gcra@1.2.3 on ['limit:{a}', '\\xff'] took 8.00 ms: "
        "more than 5.00 ms beyond a round trip of 1.00 ms"
    )


def test_keys_in_the_log_are_few_short_and_of_one_line(verdicts: list[Any]) -> None:
    guard = LatencyGuard(round_trip=timedelta(milliseconds=1))
    keys = (b"a\r\nforged line\x1b[2J", b"x" * 80, b"x" * 81, b"y" * 1_000_000, b"e", b"f")

    guard.on_call(ended(100, of=made(keys=keys)))

    (record,) = verdicts
    assert record.keys == [
        r"'a\r\nforged line\x1b[2J'",
        f"'{'x' * 80}'",
        f"'{'x' * 80}'…",
        f"'{'y' * 80}'…",
    ]
    assert ", … 2 more]" in record.getMessage()
    assert record.getMessage().isprintable()


def test_the_limit_itself_is_within_the_limit(verdicts: list[Any]) -> None:
    guard = LatencyGuard(limit=timedelta(seconds=4))
    guard.on_call(ended(1_000))

    guard.on_call(ended(5_000))
    assert verdicts == []
    guard.on_call(ended(5_001))
    assert len(verdicts) == 1


def test_the_limit_counts_from_the_round_trip_of_now(verdicts: list[Any]) -> None:
    guard = LatencyGuard(limit=timedelta(seconds=5))
    guard.on_call(ended(1_000))
    for _ in range(100):
        guard.on_call(ended(6_000))

    guard.on_call(ended(11_000))
    assert verdicts == []
    guard.on_call(ended(11_001))
    assert len(verdicts) == 1


def test_a_distant_server_is_not_slow(verdicts: list[Any]) -> None:
    guard = LatencyGuard(limit=timedelta(milliseconds=5))
    for jitter in range(300):
        guard.on_call(ended(80 + jitter % 5))

    assert verdicts == []
    assert milliseconds(guard.round_trip) == 80


def test_the_round_trip_is_forgotten_after_a_hundred_calls(verdicts: list[Any]) -> None:
    guard = LatencyGuard(limit=timedelta(milliseconds=5))
    guard.on_call(ended(1))

    for _ in range(99):
        guard.on_call(ended(50))
    assert milliseconds(guard.round_trip) == 1
    assert len(verdicts) == 99
    guard.on_call(ended(50))
    assert milliseconds(guard.round_trip) == 50
    assert len(verdicts) == 99


def test_a_given_round_trip_finds_the_script_that_is_always_slow(verdicts: list[Any]) -> None:
    learned, given = LatencyGuard(), LatencyGuard(round_trip=timedelta(milliseconds=1))
    assert learned.round_trip is None

    for _ in range(10):
        learned.on_call(ended(50))
    assert verdicts == []
    for _ in range(10):
        given.on_call(ended(50))
    assert len(verdicts) == 10
    assert milliseconds(given.round_trip) == 1


@pytest.mark.parametrize(
    "waited",
    [
        ended(1_000, outcome="not_executed", error=NotExecuted("", **ABOUT)),
        ended(1_000, outcome="unknown", error=OutcomeUnknown("", **ABOUT)),
        ended(1_000, outcome="cancelled", error=KeyboardInterrupt()),
        ended(0.001, outcome="not_executed", error=NotExecuted("", **ABOUT)),
    ],
)
def test_a_call_that_waited_on_a_failure_is_no_breach_and_no_round_trip(
    verdicts: list[Any], waited: Ended
) -> None:
    guard = LatencyGuard(breaker=Breaker(breaches=1))
    guard.on_call(ended(1))

    guard.on_call(waited)

    assert verdicts == []
    assert milliseconds(guard.round_trip) == 1


def test_a_slow_script_that_fails_is_a_breach(verdicts: list[Any]) -> None:
    guard = LatencyGuard()
    guard.on_call(ended(1))

    guard.on_call(ended(100, outcome="failed", error=ScriptError("", **ABOUT)))

    assert len(verdicts) == 1


@given(st.lists(st.integers(min_value=1, max_value=30), min_size=1, max_size=400))
def test_it_judges_as_a_search_through_the_last_hundred_calls_does(times: list[int]) -> None:
    guard = LatencyGuard(limit=timedelta(seconds=5))
    handler = Verdicts()
    logger = logging.getLogger("redislua.latency")
    logger.addHandler(handler)
    try:
        for time in times:
            guard.on_call(ended(time * 1_000))
    finally:
        logger.removeHandler(handler)

    floors = [min(times[max(0, i - 99) : i + 1]) for i in range(len(times))]
    slow = [(time, floor) for time, floor in zip(times, floors, strict=True) if time > floor + 5]
    assert [(record.seconds, record.floor) for record in handler.records] == slow
    assert guard.round_trip == timedelta(seconds=floors[-1])


def test_threads_lose_no_breach_and_invent_none(verdicts: list[Any], busy_switching: None) -> None:
    guard = LatencyGuard(breaker=Breaker(breaches=1_000))
    guard.on_call(ended(1))

    def tell_many(seed: int) -> None:
        calls = [ended(1)] * 900 + [ended(50)] * 100
        random.Random(seed).shuffle(calls)
        for one in calls:
            guard.on_call(one)

    at_once(*(partial(tell_many, seed) for seed in range(8)))

    assert sum(record.seconds == 0.05 for record in verdicts if hasattr(record, "seconds")) == 800
    assert milliseconds(guard.round_trip) == 1


def test_a_script_that_holds_the_server_is_named(client: Any, verdicts: list[Any]) -> None:
    guard = LatencyGuard()
    quick, slow = call("return 1"), call(SLOW)
    for _ in range(20):
        watched(client, guard, quick)
    verdicts.clear()  # connecting and loading may be slow

    watched(client, guard, slow)

    assert guard.round_trip is not None
    assert [(record.script, record.keys) for record in verdicts] == [
        ("sample.script", ["'{sample}'"])
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"limit": timedelta(0)}, InvalidArgumentValue),
        ({"limit": 5}, InvalidArgumentType),
        ({"round_trip": timedelta(-1)}, InvalidArgumentValue),
        ({"round_trip": 0.001}, InvalidArgumentType),
    ],
)
def test_what_is_no_limit_is_refused(options: Any, error: type[InvalidArgument]) -> None:
    with pytest.raises(error, match=r"LatencyGuard: (limit|round_trip)="):
        LatencyGuard(**options)


class Nothing:
    """An observer that does nothing."""

    def on_call(self, _: Ended, /) -> None:
        pass


def test_what_a_quick_call_costs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    near, far = ended(0.4), ended(80)
    rows: dict[str, tuple[Observer, Ended]] = {
        "nothing": (Nothing(), near),
        "guard": (LatencyGuard(), near),
        "guard with breaker": (LatencyGuard(breaker=Breaker()), near),
        "guard, distant server": (LatencyGuard(), far),
    }

    cost = {name: seconds_of(observer, one) for name, (observer, one) in rows.items()}

    with capsys.disabled():
        print()  # noqa: T201 - the figures are what is wanted
        for name, seconds in cost.items():
            ratio = seconds / cost["nothing"]
            print(f"  {name}: {seconds * 1e9:.0f} ns, {ratio:.1f} of an empty observer")  # noqa: T201
    for observer, _ in list(rows.values())[1:]:
        assert isinstance(observer, LatencyGuard)
        assert observer.round_trip is not None  # it did judge


def seconds_of(observer: Observer, one: Ended) -> float:
    """The time that telling an observer of a call takes, the best of five."""
    return min(timeit.repeat(lambda: observer.on_call(one), number=20_000, repeat=5)) / 20_000
