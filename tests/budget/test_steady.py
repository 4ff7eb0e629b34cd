"""Verdicts hold while the machine is busy: a few runs of what tools/bench/steady.py repeats."""

from __future__ import annotations

from redislua.budget.bench import CALIBRATION_US, Bench
from redislua.budget.settings import Settings
from tools.bench.steady import ROUNDS, SLOWER, busy, judge, looping

SETTINGS = Settings(calls=200, seconds=0.5)


def test_verdicts_hold_beside_a_busy_processor(server):
    with Bench(server.kind) as bench, busy(1):
        verdicts = [judge(bench, rounds, SETTINGS)[1] for rounds in (ROUNDS, ROUNDS * SLOWER) * 2]

    assert verdicts == [False, True] * 2


def test_the_calibration_is_logged_beside_a_script_that_is_much_slower(server):
    """Were it logged only where something disturbs it, the machine would seem slow."""
    planned = looping(ROUNDS * SLOWER)
    with Bench(server.kind) as bench:
        bench.stage(planned)
        round_ = bench.measure(planned, bench.count(planned), 50, 0.0)
        floor = bench._floor(planned.call)

    assert 0 < floor <= CALIBRATION_US // 5
    assert len(round_.calibration) * 4 >= len(round_.samples) == 50
