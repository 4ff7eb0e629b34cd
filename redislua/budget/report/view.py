"""What the page shows, ready to be written: the template decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from redislua.budget.growth import exceeds
from redislua.budget.judge import milliseconds
from redislua.budget.model import (
    ORDER_TEXT,
    Case,
    CaseReport,
    Growth,
    Reason,
    Report,
    ScriptReport,
)
from redislua.budget.report import draw, figures
from redislua.budget.report.axis import LogAxis, Tick
from redislua.budget.report.figures import Figure

MARKS = {"pass": "✓", "fail": "✕", "skip": "·"}
"""A sign for each verdict, so that colour is not needed to tell them apart."""

_APART = 22  # percent of a curve's width that the texts of two sizes need

_CURVES = {
    "calls": "commands",
    "instructions": "Lua instructions",
    "reply elements": "reply elements",
}


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case.

    Attributes:
        name: The case.
        arguments: The call's, as ``name=value``.
        outcome: What came back.
        bars: Its histogram, or None where it was not timed.
        mark: Percent of the axis at which the judged p99.9 stands.
        judged: p50, p99.9 and maximum by the calibration, in milliseconds.
        costs: Commands, instructions, elements and bytes of the reply.
        times: Calls, rounds, and p50, p99, p99.9 and maximum as measured, in microseconds.
        exact: The judged figures, in microseconds.
    """

    name: str
    arguments: str
    outcome: str
    bars: Markup | None
    mark: float
    judged: tuple[Figure, ...]
    costs: tuple[Figure | None, ...]
    times: tuple[Figure, ...]
    exact: tuple[Figure, ...]

    @property
    def is_timed(self) -> bool:
        """True for a case that was measured, and not only counted."""
        return self.bars is not None


@dataclass(frozen=True, slots=True)
class CurveView:
    """One count against n.

    Attributes:
        figure: What is counted.
        order: What fits it, ``O(n)``.
        allowed: What the header allows.
        is_beyond: True where it is more than that.
        drawing: The curve.
        x_ticks: Sizes.
        y_ticks: Powers of ten.
        told: Count at the first size and at the last.
    """

    figure: str
    order: str
    allowed: str
    is_beyond: bool
    drawing: Markup
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    told: str


@dataclass(frozen=True, slots=True)
class ScriptView:
    """One script.

    Attributes:
        name: ``limit.gcra``.
        version: Its version.
        file: Its file.
        sha1: Of the file.
        summary: The header's first sentence.
        verdict: ``pass``, ``fail`` or ``skip``.
        mark: The sign of the verdict.
        reasons: Why it is so: sentences, each with the depth it comes from or ``""``.
        notes: What should be known.
        headroom: How many times its p99.9 it could take, or None.
        worst: The case that is judged, or None.
        reach: The line of the index.
        cases: Those that were measured come first.
        curves: Counts against n.
        most: Commands of the call that runs most of them, and how many are allowed.
        commands: How often that call ran each.
        trace: The commands of the slowest case as they ran.
    """

    name: str
    version: str
    file: str
    sha1: str
    summary: str
    verdict: str
    mark: str
    reasons: tuple[Reason | str, ...]
    notes: tuple[str, ...]
    headroom: Figure | None
    worst: CaseView | None
    reach: Markup | None
    cases: tuple[CaseView, ...]
    curves: tuple[CurveView, ...]
    most: tuple[Figure, Figure] | None
    instructions: Figure | None
    commands: tuple[tuple[str, int], ...]
    trace: tuple[str, ...]

    @property
    def timed(self) -> tuple[CaseView, ...]:
        """The cases that were measured."""
        return tuple(case for case in self.cases if case.is_timed)


@dataclass(frozen=True, slots=True)
class PageView:
    """The whole page.

    Attributes:
        server: ``Valkey 9.1.2``.
        headline: The outcome in one sentence.
        is_passed: Whether nothing fails.
        limit: ``1 ms``.
        hard: ``5 ms``.
        calibration: ``500 µs``.
        limits_at: The two limits, in percent of the axis of time.
        ticks: Powers of ten of the axis of time, with their texts.
        scripts: Those that fail first, then by headroom, the least first.
    """

    server: str
    headline: str
    is_passed: bool
    limit: str
    hard: str
    calibration: str
    limits_at: tuple[tuple[str, float], ...]
    ticks: tuple[tuple[str, float], ...]
    scripts: tuple[ScriptView, ...]


def page_of(report: Report) -> PageView:
    """Work out everything that the page shows."""
    axis = _time_axis(report)
    limits = (report.limit_us, report.hard_us)
    scripts = sorted(report.scripts, key=lambda script: _urgency(report, script))
    return PageView(
        server=report.server,
        headline=_headline(report),
        is_passed=report.passed,
        limit=figures.duration(report.limit_us),
        hard=figures.duration(report.hard_us),
        calibration=figures.duration(report.calibration_us),
        limits_at=tuple((figures.duration(limit), axis.at(limit)) for limit in limits),
        ticks=tuple((figures.duration(tick.value), tick.at) for tick in axis.decades()),
        scripts=tuple(_script(report, script, axis, limits) for script in scripts),
    )


def _urgency(report: Report, script: ScriptReport) -> tuple[int, float, str]:
    """Failures first, then by headroom, then what has none."""
    headroom = report.headroom(script)
    order = {"fail": 0, "pass": 1, "skip": 2}[script.verdict]
    return order, math.inf if headroom is None else headroom, script.name


def _headline(report: Report) -> str:
    total = len(report.scripts)
    skipped = sum(script.verdict == "skip" for script in report.scripts)
    failed = sum(script.verdict == "fail" for script in report.scripts)
    ran = total - skipped
    tail = f"; {skipped} not run" if skipped else ""
    if not ran:
        return f"No script was run{tail}"
    noun = "script" if ran == 1 else "scripts"
    if failed:
        verb = "exceeds its" if failed == 1 else "exceed their"
        return f"{failed} of {ran} {noun} {verb} budget{tail}"
    return f"{'The one' if ran == 1 else f'All {ran}'} {noun} within budget{tail}"


def _time_axis(report: Report) -> LogAxis:
    """One for the whole page, so that any two figures can be compared."""
    found: list[float] = [report.limit_us, report.hard_us]
    for script in report.scripts:
        for case in script.cases:
            if case.measured is not None:
                floors = [floor for floor, _ in case.measured.timing.histogram.buckets]
                found += [*floors, case.measured.timing.max, case.measured.judged_max]
    return LogAxis(LogAxis.around(found).low, 1.5 * max(found))


def _script(
    report: Report, script: ScriptReport, axis: LogAxis, limits: tuple[int, int]
) -> ScriptView:
    headroom, worst = report.headroom(script), script.worst
    dearest = max(script.cases, key=lambda case: case.cost.calls, default=None)
    counted = [case.cost.instructions for case in script.cases]
    return ScriptView(
        name=script.name,
        version=script.version,
        file=script.file,
        sha1=script.sha1,
        summary=script.summary,
        verdict=script.verdict,
        mark=MARKS[script.verdict],
        reasons=tuple(_reasons(report, script)),
        notes=script.notes,
        headroom=None if headroom is None else Figure(str(headroom), f"{headroom:.1f}"),
        worst=None if worst is None else _case(worst, axis, limits),
        reach=None if worst is None else _reach(worst, axis, limits),
        cases=tuple(_case(case, axis, limits) for case in _timed_first(script.cases)),
        curves=tuple(_curves(script)),
        most=None if dearest is None else _most(dearest, script),
        instructions=figures.count(max((n for n in counted if n is not None), default=None)),
        commands=() if dearest is None else dearest.cost.commands,
        trace=script.commands,
    )


def _timed_first(cases: Iterable[CaseReport]) -> list[CaseReport]:
    return sorted(cases, key=lambda case: case.measured is None)


def _most(case: CaseReport, script: ScriptReport) -> tuple[Figure, Figure]:
    calls, allowed = case.cost.calls, script.declared.calls
    return Figure(str(calls), figures.grouped(calls)), Figure(
        str(allowed), figures.grouped(allowed)
    )


def _reasons(report: Report, script: ScriptReport) -> Iterator[Reason | str]:
    """Why the verdict is what it is; of a script that passes, how far it is from failing."""
    if script.skipped:
        yield script.skipped
        return
    yield from script.reasons
    worst, headroom = script.worst, report.headroom(script)
    if script.reasons or worst is None or worst.measured is None or headroom is None:
        return
    yield (
        f"p99.9 is {milliseconds(worst.measured.judged_p999)} in the slowest case "
        f"({worst.case.name}), {headroom:.1f} times below the limit of "
        f"{milliseconds(report.limit_us)}; no call took more than "
        f"{milliseconds(worst.measured.judged_max)}."
    )
    allowed = ORDER_TEXT[script.declared.growth]
    over = f" in {script.declared.over}" if script.declared.over else ""
    most = max(case.cost.calls for case in script.cases)
    yield (
        f"{most} of {script.declared.calls} commands allowed; cost may grow {allowed}{over}"
        f"{_grew(script.growth)}."
    )


def _grew(growth: tuple[Growth, ...]) -> str:
    if not growth:
        return ", and nothing in a call makes it grow"
    orders = list(dict.fromkeys(ORDER_TEXT[each.order] for each in growth))
    return f", and grows {' and '.join(orders)}"


def _reach(report: CaseReport, axis: LogAxis, limits: tuple[int, int]) -> Markup | None:
    measured = report.measured
    if measured is None:
        return None
    judged = (measured.judged_p50, measured.judged_p999, measured.judged_max)
    return draw.span(*judged, axis, limits)


def _case(report: CaseReport, axis: LogAxis, limits: tuple[int, int]) -> CaseView:
    case, cost, measured = report.case, report.cost, report.measured
    counts = (cost.calls, cost.instructions, cost.reply_elements, cost.reply_bytes)
    arguments = ", ".join(f"{name}={value}" for name, value in case.arguments)
    costs = tuple(figures.count(each) for each in counts)
    if measured is None:
        return CaseView(case.name, arguments, report.outcome, None, 0, (), costs, (), ())
    timing = measured.timing
    judged = (measured.judged_p50, measured.judged_p999, measured.judged_max)
    times = (timing.count, measured.rounds, timing.p50, timing.p99, timing.p999, timing.max)
    return CaseView(
        name=case.name,
        arguments=arguments,
        outcome=report.outcome,
        bars=draw.histogram(timing.histogram, axis, limits, _label(case, report)),
        mark=axis.at(measured.judged_p999),
        judged=tuple(map(figures.milli, judged)),
        costs=costs,
        times=tuple(map(figures.exact, times)),
        exact=tuple(map(figures.exact, judged)),
    )


def _label(case: Case, report: CaseReport) -> str:
    timing = report.measured.timing if report.measured else None
    if timing is None:
        return case.name
    return (
        f"{case.name}: {timing.count} calls, half within {milliseconds(timing.p50)}, "
        f"the longest {milliseconds(timing.max)}"
    )


def _curves(script: ScriptReport) -> Iterator[CurveView]:
    declared = script.declared
    for growth in script.growth:
        if growth.figure not in _CURVES:
            continue
        most = declared.calls if growth.figure == "calls" else None
        sizes, counts = zip(*growth.points, strict=True)
        x_axis = LogAxis.spanning(sizes)
        y_axis = LogAxis.around([*counts, *([most] if most is not None else [])])
        allowed = [at for at in _allowed(growth, declared.growth) if at[1] <= y_axis.high]
        points = ", ".join(f"{count} at n={size}" for size, count in growth.points)
        figure = _CURVES[growth.figure]
        yield CurveView(
            figure=figure,
            order=ORDER_TEXT[growth.order],
            allowed=ORDER_TEXT[declared.growth],
            is_beyond=exceeds(growth.order, declared.growth),
            drawing=draw.curve(growth.points, x_axis, y_axis, allowed, most, f"{figure}: {points}"),
            x_ticks=x_axis.marks(sizes, _APART),
            y_ticks=y_axis.decades(),
            told=_told(growth),
        )


def _told(growth: Growth) -> str:
    (small, first), (large, last) = growth.points[0], growth.points[-1]
    sizes = f"n = {figures.grouped(small)} to {figures.grouped(large)}"
    if first == last:
        return f"{figures.grouped(first)} at {sizes}"
    return f"{figures.grouped(first)} to {figures.grouped(last)} at {sizes}"


def _allowed(growth: Growth, declared: str) -> Iterator[tuple[float, float]]:
    """The growth that the header allows, from the first point on."""
    (first, start), last = growth.points[0], growth.points[-1][0]
    steps = 24  # a logarithm is curved on these axes
    for step in range(steps + 1):
        ratio = (last / first) ** (step / steps)
        factor = {"1": 1.0, "log": 1 + math.log2(ratio)}.get(declared, ratio)
        yield first * ratio, max(start, 1) * factor
