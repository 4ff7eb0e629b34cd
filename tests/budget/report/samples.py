"""A report with everything in it that a page can show."""

from __future__ import annotations

import math
import random

from redislua.budget.model import (
    Case,
    CaseKind,
    CaseReport,
    Cost,
    Declared,
    Growth,
    Measured,
    Reason,
    Report,
    ScriptReport,
    Timing,
)

SIZES = (1, 10, 100, 1_000, 4_000)


def case(
    name: str,
    usual: float,
    *,
    kind: CaseKind = "size",
    size: int | None = None,
    calls: int = 5,
    seed: int = 0,
) -> CaseReport:
    """A case whose calls take about ``usual`` microseconds."""
    draw = random.Random(f"{name} {seed}")
    samples = [round(usual * math.exp(abs(draw.gauss(0, 0.35)))) for _ in range(1_000)]
    timing = Timing.of(samples)
    calibration = Timing.of([round(500 * math.exp(abs(draw.gauss(0, 0.02)))) for _ in range(250)])
    judged = (round(usual, 1), round(timing.p999 * 0.9, 1), round(timing.max * 0.95, 1))
    cost = Cost(calls, (("get", 1), ("time", 1), ("zadd", calls - 2)), 154 * (size or 1), 3, 7)
    arguments = (("limit", str(size or 1)), ("token", "a" * 57 + "..."))
    return CaseReport(
        Case(name, kind, size, arguments),
        "Allowed",
        cost,
        Measured(timing, calibration, 1, *judged),
    )


def counted(name: str) -> CaseReport:
    """A case that was not timed, of a script whose instructions are not counted."""
    cost = Cost(2, (("get", 2),), None, 1, 0)
    return CaseReport(Case(name, "wrong type", None, ()), "error BadState", cost, None)


def script(
    name: str,
    usual: float,
    *,
    grows: bool = False,
    reasons: tuple[Reason, ...] = (),
    notes: tuple[str, ...] = (),
    summary: str = "Remove what has expired.",
) -> ScriptReport:
    """A script at five sizes, timed, and at one more case, counted."""
    cost = {size: size * 2 + 3 if grows else 5 for size in SIZES}
    cases = [
        case(f"n={size}", usual * (size / 4_000 if grows else 1) + 3, size=size, calls=cost[size])
        for size in SIZES
    ]
    growth = (
        Growth("calls", tuple(cost.items()), "linear" if grows else "1"),
        Growth("instructions", tuple((size, 154 * size) for size in SIZES), "linear"),
        Growth("reply elements", tuple((size, 3) for size in SIZES), "1"),
        Growth("reply bytes", tuple((size, 7) for size in SIZES), "1"),
    )
    return ScriptReport(
        name=name,
        version="1.0.0",
        file=f"{name.replace('.', '/')}.v1.lua",
        sha1="8ff233799689" + "0" * 28,
        summary=summary,
        declared=Declared(7, "log" if grows else "linear", "limit"),
        cases=(*cases, counted("log of another type")),
        growth=growth,
        commands=(
            "TIME",
            "ZREMRANGEBYSCORE queue:{budget}:log -inf 1763795285286810",
            "… 202 more",
        ),
        reasons=reasons,
        notes=notes,
    )


SLOW = script(
    "queue.purge",
    4_300.0,
    grows=True,
    reasons=(
        Reason("deterministic", "calls grow O(n) in limit, the header allows growth=log"),
        Reason("measured", "n=4000: p99.9 is 10.8 ms by the calibration, the limit 1 ms"),
    ),
    notes=("6 cases are not in budget.jsonl: `redislua budget --update`",),
    summary="Remove <everything> & more.",
)
FAST = script("limit.gcra", 8.0)
LONG_NAME = script("catalogue_of_operations.conditional_compare_and_delete_many", 240.0)
SKIPPED = ScriptReport(
    "lock.extend",
    "2.0.0",
    "lock/extend.v2.lua",
    "0" * 40,
    "Extend a lease.",
    Declared(3, "1", None),
    skipped="needs valkey 9.0; this is Redis 7.0.15",
)


def report(*scripts: ScriptReport) -> Report:
    """A run of these scripts, or of one of each kind."""
    chosen = scripts or (FAST, SKIPPED, LONG_NAME, SLOW)
    return Report("Valkey 9.1.2", 1_000, 5_000, 500, chosen)
