"""The figures to reach, and whether they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import sections as of
from .guarantees import GUARANTEES
from .measured import Report
from .table import Sheet

Judge = Callable[[Report], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure to reach.

    Attributes:
        measure: What is measured.
        bound: The figure.
        at_least: Whether more is better; otherwise the figure is the most that is allowed.
        unit: Its unit, as printed after a number.
        judge: Takes the figure from a report; None where it was not measured.
    """

    measure: str
    bound: float
    at_least: bool
    unit: str
    judge: Judge

    def line(self, report: Report) -> list[str]:
        """Return measure, goal, measured, reached."""
        sign = "at least" if self.at_least else "at most"
        goal = f"{sign} {self.bound:g}{self.unit}"
        found = self.judge(report)
        if found is None:
            return [self.measure, goal, "-", "not measured"]
        is_reached = found >= self.bound if self.at_least else found <= self.bound
        return [self.measure, goal, f"{found:.2f}{self.unit}", "yes" if is_reached else "no"]


def sheet(report: Report) -> Sheet:
    """Return the table of goals."""
    heads = ("Measure", "goal", "measured", "reached")
    return Sheet("Figures to reach", heads, [goal.line(report) for goal in GOALS])


def _times(contest: str, names: Sequence[str], to: str) -> Judge:
    """Judge by how many times the calls: the slower of the ways to call redislua counts."""

    def judge(report: Report) -> float | None:
        held = report.contest(contest)
        ratios = [held.ratio(name, to) for name in names] if held else []
        return min((ratio for ratio in ratios if ratio is not None), default=None)

    return judge


def _share(contest: str, names: Sequence[str], to: str) -> Judge:
    """Judge by the share of the other's time, the slower of the ways again."""
    times = _times(contest, names, to)

    def judge(report: Report) -> float | None:
        found = times(report)
        return None if found is None else 1 / found

    return judge


def _most(*names: str) -> Judge:
    """Judge by the greatest of some figures, all of which must be there."""

    def judge(report: Report) -> float | None:
        values = [figure.value for name in names if (figure := report.figure(name))]
        if len(values) < len(names) or None in values:
            return None
        return max(value for value in values if value is not None)

    return judge


def _of(name: str, to: str) -> Judge:
    """Judge by one figure as a share of another."""

    def judge(report: Report) -> float | None:
        ours, theirs = (_most(one)(report) for one in (name, to))
        return ours / theirs if ours is not None and theirs else None

    return judge


_PROMISED_BY_PEERS = [
    promise for promise, (_, *peers) in GUARANTEES.items() if any(not one.less for one in peers)
]
_TASKS = (of.ARUN, of.ASYNC_LIMIT)
_THREADS = (of.RUN, of.LIMIT)

GOALS = (
    Goal("50 asyncio callers, to redis-py", 6, True, " x", _times("asyncio 50", _TASKS, of.POOL)),
    Goal(
        "50 asyncio callers, to valkey-glide",
        3.5,
        True,
        " x",
        _times("asyncio 50", _TASKS, of.GLIDE),
    ),
    Goal("50 asyncio callers, to coredis", 8, True, " x", _times("asyncio 50", _TASKS, of.COREDIS)),
    Goal(
        "50 asyncio callers, to redis-benchmark -c 1 -P 50",
        0.9,
        True,
        " x",
        _times("asyncio 50", _TASKS, of.LOCKSTEP),
    ),
    Goal(
        "1 asyncio caller, share of redis-py's time",
        0.8,
        False,
        "",
        _share("asyncio 1", _TASKS, of.POOL),
    ),
    *(
        Goal(
            f"{callers} threads, to redis-py",
            bound,
            True,
            " x",
            _times(f"threads {callers}", _THREADS, of.POOL),
        )
        for callers, bound in ((2, 1.5), (4, 1.5), (16, 3), (64, 3))
    ),
    Goal(
        "1 blocking caller, pinned, share of client.evalsha's time",
        0.72,
        False,
        "",
        _share("one", _THREADS, of.EVALSHA),
    ),
    Goal("Python cost of build and decode", 1.0, False, " us", _most("build + decode")),
    Goal(
        "Cluster of 3, 50 asyncio callers, to redis-py",
        5,
        True,
        " x",
        _times("cluster asyncio", [of.ARUN], of.POOL),
    ),
    Goal(
        "Cluster of 3, 16 threads, to redis-py",
        2.8,
        True,
        " x",
        _times("cluster threads", [of.RUN], of.POOL),
    ),
    Goal(
        "Cluster of 3, batch of 100, to redis-py's pipeline, blocking",
        8,
        True,
        " x",
        _times("cluster batch", [of.RUN_MANY], of.PIPELINE),
    ),
    Goal(
        "Cluster of 3, batch of 100, to redis-py's pipeline, asyncio",
        8,
        True,
        " x",
        _times("cluster batch asyncio", [of.ARUN_MANY], of.PIPELINE),
    ),
    Goal(
        "Resident memory of an idle client beyond redis-py's own",
        10,
        False,
        " KB",
        _most("idle blocking resident", "idle asyncio resident"),
    ),
    Goal("Lint 1 000 scripts of 60 lines, cold, one processor", 2, False, " s", _most("lint cold")),
    Goal("The same, nothing changed", 0.3, False, " s", _most("lint warm")),
    Goal(
        "gcra, server instructions for a decision, of throttled-py's",
        0.8,
        False,
        " x",
        _of(
            "gcra instructions: redislua limit.gcra",
            "gcra instructions: throttled-py gcra",
        ),
    ),
    Goal(
        "Every limiter, server instructions, of the best peer with its guarantee",
        0.9,
        False,
        " x",
        _most(*(f"{promise} instructions" for promise in _PROMISED_BY_PEERS)),
    ),
    Goal(
        "Every limiter, memory of a subject, of the best peer's",
        1,
        False,
        " x",
        _most(*(f"{promise} memory" for promise in _PROMISED_BY_PEERS)),
    ),
    Goal("gcra, memory of a subject", 90, False, " B", _most("gcra memory: redislua limit.gcra")),
    Goal(
        "Hand-over among 20 waiters, redis-py's, of ours", 10, True, " x", _most("hand-over ratio")
    ),
    Goal(
        "Of 1 000 turns of 20 waiters, the least any had, of its share",
        0.5,
        True,
        "",
        _most("fewest turns: redislua Lock"),
    ),
    Goal("Fetches, cold key, 200 callers", 1, False, "", _most("stampede: redislua AsyncCache")),
    Goal("The same, the holder fails", 2, False, "", _most("failing: redislua AsyncCache")),
    Goal(
        "The same, until all have an answer, while a lease is 30 s",
        1,
        False,
        " s",
        _most("failing wait: redislua AsyncCache"),
    ),
    Goal(
        "A call among 1 000 000 keys, server instructions, to that among 10, any O(1) operation",
        1.2,
        False,
        " x",
        _most("crowd instructions"),
    ),
    Goal(
        "The same, commands that are run",
        1.2,
        False,
        " x",
        _most("crowd commands"),
    ),
    Goal(
        "A leaderboard of 1 000 000 players, p99 of each call, to that of 10 000",
        2,
        False,
        " x",
        _most(*(f"board {call} ratio" for call in ("submit", "rank", "page", "around"))),
    ),
)
