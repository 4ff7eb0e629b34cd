"""Is it too slow, or was the machine? Measured rounds become figures that hold anywhere.

Between the calls of a case run two others, which tell two things of a round:

* A script of known cost tells how fast the machine is: times are divided by what it takes
  undisturbed, its first decile, and multiplied by what it takes at rest on the machine that
  limits are meant for.
* A plain command tells how often something else took the processor: of the case's calls as
  many of the slowest are left out as that explains, by their number and length. It runs no
  Lua, so the garbage of the case's own scripts, which the server collects in whatever script
  runs next, does not pass for somebody else's work.

What still seems too slow is measured again, and the least of all rounds counts: what a
script does itself, it does in each round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from redislua.budget.bench import CALIBRATION_US, Round
from redislua.budget.growth import exceeds
from redislua.budget.model import (
    ORDER_TEXT,
    CaseReport,
    Growth,
    Measured,
    Reason,
    ScriptReport,
    Timing,
)
from redislua.probe.slowlog import percentile

ROUNDS = 5
"""How often a case is measured at most."""

ABSOLUTE = 3
"""A median of so many times the limit is too slow on whatever machine."""

_UNDISTURBED = 10  # percent of the calibration that even a crowded machine lets run through
_DISTURBED = 1.5
_LEAST_EXPOSURE = 0.2


def judged(round_: Round) -> tuple[float, float, float]:
    """Return median, p99.9 and maximum of one round in microseconds, by its calibration."""
    samples, probes = sorted(round_.samples), sorted(round_.probes)
    scale = CALIBRATION_US / percentile(sorted(round_.calibration), _UNDISTURBED)
    usual = max(percentile(probes, _UNDISTURBED), 1)
    median = percentile(samples, 50)
    share = sum(each > _DISTURBED * usual for each in probes) / len(probes)
    expected = len(samples) * share * max(median / usual, _LEAST_EXPOSURE)
    explained = math.ceil(expected + 3 * math.sqrt(expected))
    kept = samples[: max(len(samples) - explained, len(samples) // 2 + 1)]
    return median * scale, percentile(kept, 99.9) * scale, kept[-1] * scale


def measured_of(rounds: Sequence[Round]) -> Measured:
    """Sum up one round or more: the samples of all, the judged figures of the least."""
    figures = [judged(each) for each in rounds]
    return Measured(
        Timing.of([sample for each in rounds for sample in each.samples]),
        Timing.of([sample for each in rounds for sample in each.calibration]),
        len(rounds),
        *(round(min(column), 1) for column in zip(*figures, strict=True)),
    )


def is_too_slow(measured: Measured, limit_us: int, hard_us: int) -> bool:
    """Tell whether the figures of a case are beyond a limit."""
    return (
        measured.judged_p999 > limit_us
        or measured.judged_max > hard_us
        or measured.timing.p50 > ABSOLUTE * limit_us
    )


def wants_another(measured: Measured, limit_us: int, hard_us: int) -> bool:
    """Tell whether a case that seems too slow should be measured once more.

    One whose very median is beyond the limit is not called slow for its noise.
    """
    if not is_too_slow(measured, limit_us, hard_us):
        return False
    return measured.rounds < (2 if measured.judged_p50 > 1.5 * limit_us else ROUNDS)


def reasons_of_times(cases: Sequence[CaseReport], limit_us: int, hard_us: int) -> Iterator[Reason]:
    """Say which cases are too slow."""
    for report in cases:
        measured, name = report.measured, report.case.name
        if measured is None or not is_too_slow(measured, limit_us, hard_us):
            continue
        if measured.timing.p50 > ABSOLUTE * limit_us:
            text = (
                f"{name}: half of the calls take {milliseconds(measured.timing.p50)} or more, "
                f"over {ABSOLUTE} x the limit of {milliseconds(limit_us)}"
            )
        elif measured.judged_p999 > limit_us:
            text = (
                f"{name}: p99.9 is {milliseconds(measured.judged_p999)} by the calibration, "
                f"the limit {milliseconds(limit_us)}"
            )
        else:
            text = (
                f"{name}: a call takes {milliseconds(measured.judged_max)} by the calibration, "
                f"and none may take {milliseconds(hard_us)}"
            )
        yield Reason("measured", text)


def reasons_of_counts(report: ScriptReport) -> Iterator[Reason]:
    """Say which counts are beyond the header's budget."""
    declared = report.declared
    most = max(report.cases, key=lambda case: case.cost.calls, default=None)
    if most is not None and most.cost.calls > declared.calls:
        commands = ", ".join(f"{name} {count}" for name, count in most.cost.commands)
        yield Reason(
            "deterministic",
            f"{most.case.name}: {most.cost.calls} commands in one call, "
            f"the header allows calls<={declared.calls} ({commands})",
        )
    for growth in report.growth:
        if growth.figure != "reply bytes" and exceeds(growth.order, declared.growth):
            yield Reason("deterministic", _grows(growth, declared.growth, declared.over))


def _grows(growth: Growth, declared: str, over: str | None) -> str:
    points = ", ".join(f"{count} at n={size}" for size, count in growth.points)
    what = f" in {over}" if over else ""
    return (
        f"{growth.figure} grow {ORDER_TEXT[growth.order]}{what} ({points}), "
        f"the header allows growth={declared}"
    )


def milliseconds(microseconds: float) -> str:
    """``0.02 ms``, ``1.25 ms``, ``12.5 ms``."""
    return f"{microseconds / 1_000:.3g} ms"
