"""What `redislua budget` finds: frozen values, and their JSON."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, Union, get_args, get_origin, get_type_hints

from redislua.errors import ConfigError
from redislua.probe.slowlog import percentile

FORMAT = 1
"""Number of the JSON's layout."""

CaseKind: TypeAlias = Literal["size", "range", "example", "missing", "full", "wrong type"]
Order: TypeAlias = Literal["1", "log", "linear", "worse"]
Depth: TypeAlias = Literal["deterministic", "measured"]

ORDERS: tuple[Order, ...] = ("1", "log", "linear", "worse")
"""Orders of growth, the cheapest first."""

ORDER_TEXT: dict[str, str] = {
    "1": "O(1)",
    "log": "O(log n)",
    "linear": "O(n)",
    "worse": "worse than O(n)",
}

_PER_OCTAVE_BITS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One state of the server, and one call made in it.

    Attributes:
        name: ``n=1000``, ``cost high``, ``missing key``: unique in its script.
        kind: ``size`` (the sidecar's state, or keys filled, at a size), ``range`` (arguments
            at an end of their range, at the largest size), ``example``, ``missing``,
            ``full`` or ``wrong type``.
        size: n, or None where the case has none.
        arguments: Name and value of each parameter, values cut to some 60 characters.
    """

    name: str
    kind: CaseKind
    size: int | None
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call does: the same in each run and on each machine.

    Attributes:
        calls: Commands that the script called.
        commands: The same by name, in lower case and sorted.
        instructions: Instructions of the Lua machine, or None where they are not counted.
        reply_elements: Elements of the reply, those of nested arrays included.
        reply_bytes: Bytes of all strings in the reply.
    """

    calls: int
    commands: tuple[tuple[str, int], ...]
    instructions: int | None
    reply_elements: int
    reply_bytes: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many calls took how long: eight buckets for each doubling of the time.

    Attributes:
        buckets: Least microseconds and count of each bucket that is not empty, ascending.
    """

    buckets: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, samples: Iterable[int]) -> Self:
        """Count samples in whole microseconds."""
        counts: dict[int, int] = {}
        for sample in samples:
            floor = bucket(sample)
            counts[floor] = counts.get(floor, 0) + 1
        return cls(tuple(sorted(counts.items())))


def bucket(microseconds: int) -> int:
    """Return the least time of the bucket that a time falls into."""
    shift = max(microseconds.bit_length() - 1 - _PER_OCTAVE_BITS, 0)
    return microseconds >> shift << shift


def next_bucket(floor: int) -> int:
    """Return the least time of the bucket after the one that begins at ``floor``."""
    return floor + (1 << max(floor.bit_length() - 1 - _PER_OCTAVE_BITS, 0))


@dataclass(frozen=True, slots=True)
class Timing:
    """Server time of a number of equal calls, in whole microseconds.

    Percentiles are by nearest rank, over all rounds.

    Attributes:
        count: How many calls.
        p50: The median.
        p99: 99 of 100 calls take no longer.
        p999: 999 of 1 000 calls take no longer.
        max: The longest.
        histogram: All of them.
    """

    count: int
    p50: int
    p99: int
    p999: int
    max: int
    histogram: Histogram

    @classmethod
    def of(cls, samples: Sequence[int]) -> Self:
        """Summarise at least one sample; none is a ValueError."""
        if not samples:
            raise ValueError("no samples to summarise")
        ordered = sorted(samples)
        p50, p99, p999, most = (percentile(ordered, share) for share in (50, 99, 99.9, 100))
        return cls(len(ordered), p50, p99, p999, most, Histogram.of(ordered))


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a case, and what it is judged by.

    The judged figures are the least of all rounds, each divided by what the calibration
    script took in the same round and multiplied by what it takes at rest.

    Attributes:
        timing: The calls of the case, all rounds.
        calibration: The calls of the calibration script between them.
        rounds: How often the case was measured: once more as long as it seems too slow.
        judged_p50: Median in microseconds, by the calibration.
        judged_p999: p99.9 in microseconds, by the calibration.
        judged_max: Maximum in microseconds, by the calibration.
    """

    timing: Timing
    calibration: Timing
    rounds: int
    judged_p50: float
    judged_p999: float
    judged_max: float


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One case and what came of it.

    Attributes:
        case: The case.
        outcome: Variant, ``error Name`` or the server's error code.
        cost: What the call does.
        measured: Its times, or None where it was only counted.
    """

    case: Case
    outcome: str
    cost: Cost
    measured: Measured | None


@dataclass(frozen=True, slots=True)
class Growth:
    """How a count grows with the size.

    Attributes:
        figure: ``calls``, ``instructions``, ``reply elements`` or ``reply bytes``.
        points: Size and count, ascending.
        order: What fits them.
    """

    figure: str
    points: tuple[tuple[int, int], ...]
    order: Order


@dataclass(frozen=True, slots=True)
class Declared:
    """The header's budget: ``calls<=N growth=… n=…``."""

    calls: int
    growth: str
    over: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a script fails.

    Attributes:
        depth: ``deterministic`` (the same on each machine) or ``measured``.
        text: What is too much, and what is allowed.
    """

    depth: Depth
    text: str


@dataclass(frozen=True, slots=True)
class ScriptReport:
    """One script at all its cases.

    Attributes:
        name: ``limit.gcra``.
        version: ``1.0.0``.
        file: ``limit/gcra.v1.lua``.
        sha1: Of the file.
        summary: The header's first sentence.
        declared: The header's budget.
        cases: Sizes first, ascending.
        growth: Of each count over the sizes; empty where there are not two sizes.
        commands: The commands of the slowest measured case as they ran, long ones cut.
        reasons: Why it fails; empty when it passes.
        skipped: Why it was not run at all, or ``""``.
        notes: What is not a failure but should be known.
    """

    name: str
    version: str
    file: str
    sha1: str
    summary: str
    declared: Declared
    cases: tuple[CaseReport, ...] = ()
    growth: tuple[Growth, ...] = ()
    commands: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    skipped: str = ""
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True when nothing is too much."""
        return not self.reasons

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``skip``."""
        if self.skipped:
            return "skip"
        return "pass" if self.passed else "fail"

    @property
    def worst(self) -> CaseReport | None:
        """The measured case with the greatest judged p99.9, or None when nothing was measured."""
        timed = [case for case in self.cases if case.measured is not None]
        return max(timed, key=_judged_p999, default=None)


def _judged_p999(report: CaseReport) -> float:
    return report.measured.judged_p999 if report.measured is not None else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All scripts of one run.

    Attributes:
        server: ``Valkey 9.1.2``.
        limit_us: What p99.9 is held against, in microseconds.
        hard_us: What no call may take, in microseconds.
        calibration_us: What the calibration script takes at rest, in microseconds.
        scripts: In the order of the registry.
        format: Number of this layout.
    """

    server: str
    limit_us: int
    hard_us: int
    calibration_us: int
    scripts: tuple[ScriptReport, ...]
    format: int = FORMAT

    @property
    def passed(self) -> bool:
        """True when every script passes."""
        return all(script.passed for script in self.scripts)

    def headroom(self, script: ScriptReport) -> float | None:
        """How many times its judged p99.9 a script could take; None when nothing was measured."""
        worst = script.worst
        if worst is None or worst.measured is None:
            return None
        return self.limit_us / max(worst.measured.judged_p999, 0.5)

    def to_json(self) -> str:
        """Return the report as indented JSON with a newline at its end."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ConfigError: It is no report, or of another format.
        """
        try:
            read = json.loads(text)
            if read["format"] != FORMAT:
                raise ConfigError(f"a report of format {read['format']}: expected {FORMAT}")
            report: Self = _built(cls, read)
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"this is no report of redislua budget: {error}") from error
        return report


def _built(of: Any, value: Any) -> Any:
    """Make a value of an annotated type from what JSON keeps of it."""
    if dataclasses.is_dataclass(of) and isinstance(of, type):
        hints = get_type_hints(of)
        return of(**{name: _built(hints[name], each) for name, each in value.items()})
    arguments = get_args(of)
    if get_origin(of) is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_built(arguments[0], each) for each in value)
        return tuple(_built(one, each) for one, each in zip(arguments, value, strict=True))
    if get_origin(of) in (Union, types.UnionType):
        return None if value is None else _built(arguments[0], value)
    return value
