"""A slow script is told from a slow machine: by samples made up here."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from redislua.budget.bench import CALIBRATION_US, Round
from redislua.budget.judge import (
    ROUNDS,
    is_too_slow,
    measured_of,
    reasons_of_counts,
    reasons_of_times,
    wants_another,
)
from redislua.budget.model import CaseReport, Measured
from tests.budget.samples import TIMING, case, script

LIMIT, HARD = 1_000, 5_000


def round_of(
    usual: int, *, speed: float = 1.0, hiccups: float = 0.0, tail: float = 0.0, seed: int = 1
) -> Round:
    """A thousand calls of about ``usual`` us on a machine of some speed.

    Args:
        usual: Microseconds on the reference machine.
        speed: 0.5 takes twice as long.
        hiccups: How often in a millisecond something else takes the processor for 4 ms.
        tail: Share of calls that themselves take 3 ms.
        seed: Of the draws.
    """
    draw = random.Random(seed)

    def took(time: int) -> int:
        lost = 4_000 if draw.random() < hiccups * time / 1_000 else 0
        return round(time * draw.uniform(1.0, 1.1) / speed) + lost

    samples = [took(3_000 if draw.random() < tail else usual) for _ in range(1_000)]
    probes = tuple(took(200) for _ in range(250))
    return Round(tuple(samples), tuple(took(CALIBRATION_US) for _ in range(250)), probes)


def settled(rounds: list[Round]) -> Measured:
    """Take rounds as long as another one is wanted."""
    taken = 1
    while wants_another(measured_of(rounds[:taken]), LIMIT, HARD):
        taken += 1
    return measured_of(rounds[:taken])


def test_a_quiet_machine_is_taken_at_its_word():
    measured = measured_of([round_of(300)])

    assert measured.judged_p50 == pytest.approx(300, rel=0.1)
    assert measured.judged_p999 == pytest.approx(330, rel=0.1)
    assert measured.timing.count == 1_000
    assert measured.rounds == 1


@pytest.mark.parametrize("speed", [0.4, 1.0, 3.0])
def test_the_speed_of_the_machine_does_not_matter(speed):
    assert not is_too_slow(measured_of([round_of(800, speed=speed)]), LIMIT, HARD)
    assert is_too_slow(measured_of([round_of(1_200, speed=speed)]), LIMIT, HARD)


@pytest.mark.parametrize("seed", range(20))
def test_what_else_the_machine_does_is_not_held_against_a_script(seed):
    rounds = [
        round_of(800, hiccups=0.05, speed=0.7, seed=seed * ROUNDS + turn) for turn in range(ROUNDS)
    ]

    assert not is_too_slow(settled(rounds), LIMIT, HARD)


@pytest.mark.parametrize("seed", range(20))
def test_a_script_slowed_tenfold_is_too_slow_whatever_else_the_machine_does(seed):
    rounds = [
        round_of(3_000, hiccups=0.05, speed=0.7, seed=seed * ROUNDS + turn)
        for turn in range(ROUNDS)
    ]

    measured = settled(rounds)

    assert is_too_slow(measured, LIMIT, HARD)
    assert measured.rounds == 2


def test_one_call_in_fifty_that_is_too_slow_is_found_on_a_quiet_machine():
    rounds = [round_of(50, tail=0.02, seed=turn) for turn in range(ROUNDS)]

    measured = settled(rounds)

    assert is_too_slow(measured, LIMIT, HARD)
    assert measured.judged_p50 < LIMIT
    assert measured.rounds == ROUNDS


def test_what_the_script_does_to_the_calibration_does_not_excuse_it():
    """Its garbage is collected in whatever script runs next: plain commands are not delayed."""
    quiet = round_of(300, tail=0.02)
    delayed = tuple(
        time * (4 if number % 5 == 0 else 1) for number, time in enumerate(quiet.calibration)
    )

    assert is_too_slow(settled([replace(quiet, calibration=delayed)] * ROUNDS), LIMIT, HARD)


def test_beyond_three_times_the_limit_no_calibration_helps():
    measured = measured_of([round_of(900, speed=0.25)])

    assert measured.judged_p999 < LIMIT
    assert is_too_slow(measured, LIMIT, HARD)
    [reason] = reasons_of_times([_with(measured)], LIMIT, HARD)
    assert "half of the calls take" in reason.text
    assert "over 3 x the limit of 1 ms" in reason.text


def _with(measured: Measured) -> CaseReport:
    return replace(case("n=10", 3), measured=measured)


@pytest.mark.parametrize(
    ("p999", "most", "text"),
    [
        (1_100.0, 1_200.0, "n=10: p99.9 is 1.1 ms by the calibration, the limit 1 ms"),
        (900.0, 5_600.0, "n=10: a call takes 5.6 ms by the calibration, and none may take 5 ms"),
    ],
)
def test_each_limit_has_its_own_words(p999, most, text):
    measured = Measured(TIMING, TIMING, 5, 20.0, p999, most)

    [reason] = reasons_of_times([_with(measured)], LIMIT, HARD)

    assert (reason.depth, reason.text) == ("measured", text)


def test_a_case_that_was_only_counted_is_not_too_slow():
    assert [*reasons_of_times([case("n=10", 3)], LIMIT, HARD)] == []


def test_more_commands_than_the_header_allows_are_named():
    [reason] = reasons_of_counts(script(case("n=1", 3), case("n=10", 12)))

    assert reason.depth == "deterministic"
    assert reason.text == ("n=10: 12 commands in one call, the header allows calls<=3 (get 12)")
