"""A script that is too slow too often is turned away, tried again, and let through."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import (
    BudgetExceeded,
    InvalidArgument,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
)
from redislua.runtime import Call
from redislua.runtime.watching import Breaker, LatencyGuard
from redislua.runtime.watching.breaker import MOST_SCRIPTS, Circuits
from tests.runtime.samples import incr
from tests.runtime.watching.watched import at_once, ended, made, watched

QUICK, SLOW = 1, 50


class Guarded:
    """A guard whose clock the test turns: 3 breaches in 10 s open a circuit for 30 s."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.guard = LatencyGuard(
            breaker=Breaker(
                breaches=3, window=timedelta(seconds=10), cool_down=timedelta(seconds=30)
            ),
            round_trip=timedelta(milliseconds=1),
            clock=lambda: self.now,
        )

    def admits(self, call: Call[Any]) -> bool:
        try:
            self.guard.admit(call)
        except BudgetExceeded:
            return False
        return True

    def end(self, call: Call[Any], milliseconds: float) -> None:
        self.guard.on_call(ended(milliseconds, of=call))

    def open(self, call: Call[Any]) -> None:
        for _ in range(3):
            assert self.admits(call)
            self.end(call, SLOW)
        assert not self.admits(call)


@pytest.fixture
def guarded() -> Guarded:
    """A guard, and its clock."""
    return Guarded()


def test_enough_breaches_within_the_window_turn_the_script_away(guarded: Guarded) -> None:
    call = made()
    for _ in range(2):
        guarded.end(call, SLOW)
        guarded.end(call, QUICK)
    assert guarded.admits(call)

    guarded.now += 10
    guarded.end(call, SLOW)

    with pytest.raises(BudgetExceeded, match=r"the next trial is in 30\.0 s") as raised:
        guarded.guard.admit(call)
    assert raised.value.script == "sample.script@1.2.3"
    assert raised.value.keys == (b"{sample}",)
    assert not raised.value.transient


def test_breaches_further_apart_than_the_window_do_not(guarded: Guarded) -> None:
    call = made()
    for _ in range(20):
        guarded.end(call, SLOW)
        guarded.now += 5.1

    assert guarded.admits(call)


def test_other_scripts_pass(guarded: Guarded) -> None:
    guarded.open(made("limit.slow"))

    assert guarded.admits(made("limit.quick"))


def test_without_a_breaker_nothing_is_turned_away() -> None:
    guard = LatencyGuard(round_trip=timedelta(milliseconds=1))
    for _ in range(1_000):
        guard.on_call(ended(SLOW))

    guard.admit(made())


def test_after_the_cool_down_one_trial_passes_and_a_quick_one_closes_the_circuit(
    guarded: Guarded,
) -> None:
    guarded.open(made())
    guarded.now += 29.9
    assert not guarded.admits(made())

    guarded.now += 0.1
    trial = made()
    assert guarded.admits(trial)
    assert not guarded.admits(made())
    guarded.end(trial, QUICK)

    assert guarded.admits(made())
    assert guarded.admits(made())


def test_breaches_from_before_the_circuit_opened_are_forgotten(guarded: Guarded) -> None:
    breaker = Breaker(breaches=3, window=timedelta(seconds=10), cool_down=timedelta(seconds=1))
    guarded.guard = LatencyGuard(
        breaker=breaker, round_trip=timedelta(milliseconds=1), clock=lambda: guarded.now
    )
    guarded.open(made())
    guarded.now += 1
    trial = made()
    assert guarded.admits(trial)
    guarded.end(trial, QUICK)

    guarded.end(made(), SLOW)

    assert guarded.admits(made())


def test_a_slow_trial_opens_the_circuit_for_another_cool_down(guarded: Guarded) -> None:
    guarded.open(made())
    guarded.now += 30
    trial = made()
    assert guarded.admits(trial)

    guarded.now += 7
    guarded.end(trial, SLOW)

    guarded.now += 29.9
    assert not guarded.admits(made())
    guarded.now += 0.1
    assert guarded.admits(made())


@pytest.mark.parametrize("ends", ["unknown", "not_executed", "never"])
def test_a_trial_without_an_answer_is_followed_by_another_after_the_cool_down(
    guarded: Guarded, ends: Any
) -> None:
    guarded.open(made())
    guarded.now += 30
    trial = made()
    assert guarded.admits(trial)

    if ends != "never":
        kind = OutcomeUnknown if ends == "unknown" else NotExecuted
        error = kind("", script="sample.script@1.2.3")
        guarded.guard.on_call(ended(SLOW, of=trial, outcome=ends, error=error))

    assert not guarded.admits(made())
    guarded.now += 30
    assert guarded.admits(made())


@pytest.mark.parametrize("milliseconds", [QUICK, SLOW])
def test_calls_that_were_under_way_when_the_circuit_opened_do_not_move_it(
    guarded: Guarded, milliseconds: float
) -> None:
    under_way = made()
    guarded.open(made())
    guarded.now += 30
    trial = made()
    assert guarded.admits(trial)

    for _ in range(3):
        guarded.end(under_way, milliseconds)

    assert not guarded.admits(made())
    guarded.end(trial, QUICK)
    assert guarded.admits(made())


@pytest.mark.usefixtures("busy_switching")
def test_of_many_threads_one_makes_the_trial(guarded: Guarded) -> None:
    guarded.open(made())
    for _ in range(50):
        guarded.now += 30
        admitted: list[bool] = []

        at_once(*[partial(ask, guarded, admitted)] * 8)

        assert sorted(admitted) == [False] * 7 + [True]


def ask(guarded: Guarded, answers: list[bool]) -> None:
    answers.append(guarded.admits(made()))


@pytest.mark.usefixtures("busy_switching")
def test_breaches_of_many_threads_all_count() -> None:
    for _ in range(200):
        guard = LatencyGuard(breaker=Breaker(breaches=8), round_trip=timedelta(milliseconds=1))

        at_once(*[lambda guard=guard: guard.on_call(ended(SLOW))] * 8)

        with pytest.raises(BudgetExceeded):
            guard.admit(made())


def test_a_call_that_is_turned_away_does_not_reach_the_server(
    client: Any, guarded: Guarded
) -> None:
    guarded.open(incr())

    with pytest.raises(BudgetExceeded):
        watched(client, guarded.guard, incr())

    assert client.exists("{sample}") == 0


def test_opening_and_closing_are_logged(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    guarded.open(made("limit.slow"))
    guarded.now += 30
    trial = made("limit.slow")
    assert guarded.admits(trial)
    guarded.end(trial, QUICK)

    messages = [record.getMessage() for record in caplog.records]
    assert sum("took" in message for message in messages) == 3
    assert [message for message in messages if "took" not in message] == [
        "limit.slow@1.2.3 was too slow: turned away for 30 s",
        "limit.slow@1.2.3 is quick again: let through",
    ]


def test_memory_is_bounded_however_many_scripts_are_slow() -> None:
    circuits = Circuits(Breaker(breaches=2))
    for number in range(MOST_SCRIPTS + 100):
        assert not circuits.slow(made(f"slow.s{number}"), 0.0)

    assert len(circuits._breaches) == MOST_SCRIPTS
    assert circuits.slow(made(f"slow.s{MOST_SCRIPTS + 99}"), 0.0)  # the latest are kept
    assert not circuits.slow(made("slow.s0"), 0.0)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"breaches": 0}, InvalidArgumentValue),
        ({"breaches": 1_001}, InvalidArgumentValue),
        ({"breaches": True}, InvalidArgumentType),
        ({"window": timedelta(0)}, InvalidArgumentValue),
        ({"cool_down": 30}, InvalidArgumentType),
    ],
)
def test_settings_that_make_no_breaker_are_refused(
    options: Any, error: type[InvalidArgument]
) -> None:
    with pytest.raises(error, match=f"Breaker: {next(iter(options))}="):
        Breaker(**options)
