"""Count, measure and judge scripts, one after the other, on a server of our own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import redis

from redislua.budget.baseline import Baseline
from redislua.budget.bench import CALIBRATION_US, Bench, Held, reply_size
from redislua.budget.cases import Planned, plan
from redislua.budget.growth import growth_of
from redislua.budget.judge import milliseconds, reasons_of_counts, reasons_of_times
from redislua.budget.measure import measure
from redislua.budget.model import (
    CaseReport,
    Cost,
    Declared,
    Growth,
    Reason,
    Report,
    ScriptReport,
)
from redislua.budget.settings import Settings
from redislua.budget.sidecar import find_sidecar
from redislua.errors import CallError, ConfigError, RedisLuaError, UnexpectedReplyError
from redislua.probe.commandstats import Counted
from redislua.probe.engine import Engine, NotOffered, TooLong
from redislua.probe.examples import Operation
from redislua.runtime.outcome import answered
from redislua.spec.model import Script
from redislua.spec.registry import Registry

INSTRUCTIONS = 2_000_000
"""Instructions of the Lua machine that no call may need: 5 ms are one to two millions."""

_LONG_US = 500_000  # a size that takes so long is the last
_COUNTS = 3
_COMMANDS = 40
_WORDS = 8
_WORD = 40

OnStep = Callable[[str, str], None]
"""Told the script and what is being done with it, before it is done."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """What is run, and how.

    Attributes:
        registry: All scripts.
        operations: By full name; those of older majors are called ``name_v1``.
        kind: Which server to start (`redislua.server.start`).
        settings: How to measure and what is allowed.
        baseline: The committed figures, or None where nothing is compared with them.
        on_step: Told about each step.
    """

    registry: Registry
    operations: Mapping[str, Operation]
    kind: str
    settings: Settings
    baseline: Baseline | None
    on_step: OnStep

    def run(self, names: Sequence[str], on_done: Callable[[ScriptReport], None]) -> Report:
        """Run some scripts.

        A server that a script holds for good is replaced by another.

        Args:
            names: Full names.
            on_done: Given each script's report when it is done.

        Raises:
            ConfigError: A sidecar or an example fails.
            ServerUnavailable: The server cannot be had.
        """
        reports: list[ScriptReport] = []
        version = ""
        with contextlib.ExitStack() as stack:
            bench: Bench | None = None
            for name in names:
                if bench is None:
                    self.on_step(name, "starting a server")
                    bench = stack.enter_context(Bench(self.kind))
                    version = bench.version
                try:
                    report = self._script(bench, name)
                except Held as held:
                    stack.close()
                    bench = None
                    text = f"{held}: the script holds the server"
                    report = replace(self._empty(name), reasons=(Reason("measured", text),))
                reports.append(report)
                on_done(report)
        settings = self.settings
        return Report(version, settings.limit_us, settings.hard_us, CALIBRATION_US, tuple(reports))

    def _empty(self, name: str) -> ScriptReport:
        spec = self.operations[name].spec
        budget = spec.budget
        declared = Declared(budget.calls, budget.growth, budget.over)
        return ScriptReport(name, spec.version, spec.file, spec.sha1, spec.summary, declared)

    def _script(self, bench: Bench, name: str) -> ScriptReport:
        report = self._empty(name)
        spec = self.operations[name].spec
        skipped = _too_old(spec, bench.version)
        if skipped:
            return replace(report, skipped=skipped)
        return _Trial(self, bench, self.operations[name], report).run()


class _Trial:
    """One script on a bench."""

    def __init__(
        self, budgets: Budgets, bench: Bench, operation: Operation, report: ScriptReport
    ) -> None:
        self._budgets = budgets
        self._settings = budgets.settings
        self._bench = bench
        self._operation = operation
        self._report = report
        self._reasons: list[Reason] = []
        self._notes: list[str] = []

    def run(self) -> ScriptReport:
        spec = self._operation.spec
        sidecar = find_sidecar(self._budgets.registry, spec)
        planned = plan(self._budgets.registry, self._budgets.operations, self._operation, sidecar)
        counted = self._count_all(planned)
        cases = self._measure_all(counted)
        by_name = {case.case.name: case for case in cases}
        reports = tuple(by_name.get(case.case.name, case) for _, _, case in counted)
        report = replace(self._report, cases=reports, growth=tuple(_growths(reports)))
        return self._judged(replace(report, commands=self._trace(report, planned)))

    def _judged(self, report: ScriptReport) -> ScriptReport:
        settings = self._settings
        self._reasons += reasons_of_counts(report)
        if self._budgets.baseline is not None:
            dearer, notes = self._budgets.baseline.judge(report)
            self._reasons += dearer
            self._notes += notes
        self._reasons += reasons_of_times(report.cases, settings.limit_us, settings.hard_us)
        ended = [case for case in report.cases if case.case.kind == "size"]
        self._notes += [
            f"{case.case.name} is answered with {case.outcome}: is that the worst case?"
            for case in ended
            if not self._is_variant(case.outcome)
        ]
        return replace(report, reasons=tuple(self._reasons), notes=tuple(self._notes))

    def _is_variant(self, outcome: str) -> bool:
        return outcome == "reply" or self._operation.spec.variant(outcome) is not None

    # --- counts ---

    def _count_all(self, planned: Sequence[Planned]) -> list[tuple[Planned, Counted, CaseReport]]:
        found: list[tuple[Planned, Counted, CaseReport]] = []
        most: int | None = None
        with Engine(self._bench.url, limit=INSTRUCTIONS) as engine:
            for one in planned:
                size = one.case.size
                if most is not None and size is not None and size > most:
                    continue
                self._step(f"counting {one.case.name}")
                self._stage(one)
                counted = self._counted(one)
                instructions = self._instructions(engine, one, counted)
                outcome = _outcome(self._operation, one, counted)
                elements, size_bytes = reply_size(counted.reply)
                commands = tuple(counted.commands.items())
                cost = Cost(counted.calls, commands, instructions, elements, size_bytes)
                found.append((one, counted, CaseReport(one.case, outcome, cost, None)))
                if size is not None and most is None and counted.microseconds > _LONG_US:
                    most = size
                    took = milliseconds(counted.microseconds)
                    self._notes.append(f"no size above n={size} was run: it takes {took}")
        return found

    def _stage(self, planned: Planned) -> None:
        try:
            self._bench.stage(planned)
        except (CallError, redis.ResponseError) as error:
            raise ConfigError(
                f"{self._operation.spec.file}: {planned.case.name}: its state cannot be made: "
                f"{error} (`redislua test` shows the examples)"
            ) from error

    def _counted(self, planned: Planned) -> Counted:
        """Count several times: the least time counts, and the commands are to be the same."""
        runs = [self._bench.count(planned)]
        while len(runs) < _COUNTS and runs[0].microseconds < _LONG_US:
            runs.append(self._bench.count(planned))
        if any(run.commands != runs[0].commands for run in runs):
            self._notes.append(f"{planned.case.name}: the commands are not the same in each run")
        return min(runs, key=lambda run: run.microseconds)

    def _instructions(self, engine: Engine, planned: Planned, counted: Counted) -> int | None:
        if counted.microseconds > _LONG_US:
            return None
        try:
            run = engine.run(planned.call, watch="instructions")
        except NotOffered as error:
            if str(error) not in self._notes:
                self._notes.append(str(error))
            return None
        except TooLong as error:
            self._reasons.append(Reason("deterministic", f"{planned.case.name}: {error}"))
            return None
        finally:
            self._bench.restore()
        return run.instructions

    # --- times ---

    def _chosen(
        self, counted: Sequence[tuple[Planned, Counted, CaseReport]]
    ) -> list[tuple[Planned, Counted, CaseReport]]:
        """All sizes, and of the other cases the slowest."""
        sizes = [each for each in counted if each[0].case.kind == "size"]
        others = [each for each in counted if each[0].case.kind != "size"]
        others.sort(key=lambda each: -each[1].microseconds)
        return sizes + others[: self._settings.others]

    def _measure_all(
        self, counted: Sequence[tuple[Planned, Counted, CaseReport]]
    ) -> Iterator[CaseReport]:
        """Time the chosen cases with fewer calls, and in full the one that takes longest."""
        found = [self._measured(self._settings.fewer(), *each) for each in self._chosen(counted)]
        slowest = max(found, key=_median, default=None)
        for each, measured in zip(self._chosen(counted), found, strict=True):
            if measured is slowest:
                yield self._measured(self._settings, *each)
            else:
                yield measured

    def _measured(
        self, settings: Settings, planned: Planned, counted: Counted, report: CaseReport
    ) -> CaseReport:
        self._step(f"measuring {planned.case.name}")
        self._stage(planned)
        measured = measure(self._bench, planned, counted, settings)
        return replace(report, measured=measured)

    def _trace(self, report: ScriptReport, planned: Sequence[Planned]) -> tuple[str, ...]:
        worst = report.worst
        if worst is None:
            return ()
        one = next(each for each in planned if each.case.name == worst.case.name)
        self._stage(one)
        lines = [_line(words) for words in self._bench.trace(one.call)]
        left = len(lines) - _COMMANDS
        return (*lines[:_COMMANDS], *([f"… {left} more"] if left > 0 else []))

    def _step(self, step: str) -> None:
        self._budgets.on_step(self._report.name, step)


def _median(case: CaseReport) -> float:
    return case.measured.judged_p50 if case.measured else 0.0


def _growths(cases: Sequence[CaseReport]) -> Iterator[Growth]:
    sizes = [case for case in cases if case.case.kind == "size" and case.case.size is not None]
    if len(sizes) < 2:
        return
    figures: dict[str, Callable[[Cost], int | None]] = {
        "calls": lambda cost: cost.calls,
        "instructions": lambda cost: cost.instructions,
        "reply elements": lambda cost: cost.reply_elements,
        "reply bytes": lambda cost: cost.reply_bytes,
    }
    for figure, of in figures.items():
        points = [(case.case.size or 1, of(case.cost)) for case in sizes]
        exact = [(size, count) for size, count in points if count is not None]
        if len(exact) == len(points):
            yield growth_of(figure, exact)


def _outcome(operation: Operation, planned: Planned, counted: Counted) -> str:
    """The variant, ``error Name``, or the server's error code."""
    if isinstance(counted.reply, redis.ResponseError):
        error: RedisLuaError = answered(planned.call, counted.reply)
        declared = {known.name for known in operation.spec.errors}
        name = type(error).__name__.removesuffix("Error")
        return f"error {name}" if name in declared else type(error).__name__
    if isinstance(counted.reply, Exception):
        raise counted.reply
    try:
        reply = planned.call.decode(counted.reply)
    except (UnexpectedReplyError, ValueError, OverflowError):
        return "a reply that the header does not declare"
    return operation.variant_name(reply) or "reply"


def _line(words: Sequence[bytes]) -> str:
    shown = [_word(word) for word in words[:_WORDS]]
    return " ".join([*shown, *([f"… {len(words)} words"] if len(words) > _WORDS else [])])


def _word(word: bytes) -> str:
    if len(word) > _WORD:
        return f"<{len(word)} bytes>"
    text = word.decode("ascii", "replace")
    return text if text.isprintable() and "\ufffd" not in text and text else repr(word)[1:]


def _too_old(spec: Script, server: str) -> str:
    """Why a server cannot run the script, or ``""``."""
    if not spec.requires:
        return ""
    product, _, version = server.partition(" ")
    have = tuple(int(part) for part in version.split(".") if part.isdecimal())
    for need in spec.requires:
        if need.product == product.lower() and have >= need.version:
            return ""
    needs = ", ".join(
        f"{need.product} {'.'.join(map(str, need.version))}" for need in spec.requires
    )
    return f"needs {needs}; this is {server}"
