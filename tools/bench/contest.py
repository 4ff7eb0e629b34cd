"""Contests: who takes part, and rounds that are interleaved, shuffled and checked."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .idle import Processors
from .measured import Contest, Entry, Report, Round
from .runners import Missing, RedisBenchmark, Runner, Worker
from .watched import Watched
from .worker import Order
from .workload import SUBJECTS, Target

WARM = 3
"""Rounds that are not counted."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who takes part, and as what.

    Attributes:
        name: As printed.
        contender: Its name for `contenders.load`; empty for redis-benchmark.
        shape: Connections and pipelined calls of redis-benchmark.
        note: How its line differs from the others'.
    """

    name: str
    contender: str = ""
    shape: tuple[int, int] = (1, 1)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure.

    Attributes:
        rounds: Rounds that count, of each contender.
        seconds: About how long each is.
    """

    rounds: int
    seconds: float


class Arena:
    """The servers, and everything that is the same for all contests held on them.

    Attributes:
        watched: The servers.
        target: What everybody calls.
        pace: How long to measure.
        report: Where contests are put.
    """

    def __init__(
        self,
        watched: Watched,
        target: Target,
        pace: Pace,
        report: Report,
        say: Callable[[str], None],
        *,
        subjects: int = SUBJECTS,
        callers: int | None = None,
    ) -> None:
        self.watched = watched
        self.pace = pace
        self.report = report
        self.target = target
        self._say = say
        self._subjects = subjects
        self._callers = callers

    def hold(
        self,
        name: str,
        title: str,
        entrants: Sequence[Entrant],
        *,
        callers: int,
        baseline: str,
        batch: int = 1,
        core: int | None = None,
        conditions: str = "",
    ) -> None:
        """Measure the entrants side by side and put the contest in the report.

        Args:
            name: What the goals know the contest by.
            title: As printed.
            entrants: Who takes part.
            callers: How many call at the same time; a contest of another number than the
                one that was asked for is not held.
            baseline: The entrant that ratios are made to.
            batch: Calls that travel in one call of a contender.
            core: The processor that clients and servers are pinned to.
            conditions: What was the same for all, in a sentence.
        """
        if self._callers not in (None, callers):
            return
        self._say(title)
        self.watched.clear()
        order = Order("", replace(self.target, callers=callers), self._subjects, batch, core)
        missing: dict[str, str] = {}
        rounds: dict[str, list[Round]] = {entrant.name: [] for entrant in entrants}
        with ExitStack() as stack:
            if core is not None:
                stack.enter_context(self.watched.pinned(core))
            running: dict[str, tuple[Runner, int]] = {}
            for entrant in entrants:
                try:
                    runner = _start(entrant, order)
                    stack.callback(runner.close)
                    running[entrant.name] = (runner, self._warm(runner))
                except Missing as error:
                    missing[entrant.name] = self._reason(entrant.name, error)
            for _ in range(self.pace.rounds):
                for one in random.sample(sorted(running), len(running)):
                    try:
                        rounds[one].append(self.round(*running[one]))
                    except Missing as error:
                        missing[one] = self._reason(one, error)
                        del running[one]
        entries = {
            one.name: Entry(
                one.name,
                () if one.name in missing else tuple(rounds[one.name]),
                missing.get(one.name, ""),
                one.note,
            )
            for one in entrants
        }
        self.report.contests.append(Contest(name, title, baseline, entries, conditions))

    def _reason(self, name: str, error: Missing) -> str:
        """Return why somebody is out, and say what its process wrote."""
        for note in getattr(error, "__notes__", ()):
            self._say(f"{name}: {error}\n{note}")
        return str(error)

    def _warm(self, runner: Runner) -> int:
        """Run uncounted rounds; return how many calls make one of the wanted length."""
        calls, seconds = runner.rounded(SUBJECTS), 0.0
        runner.run(calls)  # not looked at: clients find out here that their script is new
        while seconds < self.pace.seconds / 4:
            seconds = self.round(runner, calls).seconds
            calls = runner.rounded(calls * min(8.0, self.pace.seconds / max(seconds, 1e-4)))
        for _ in range(WARM):
            calls = runner.rounded(calls * self.pace.seconds / self.round(runner, calls).seconds)
        return calls

    def round(self, runner: Runner, calls: int) -> Round:
        """Run one round, and ask the server what it did in it.

        Raises:
            Missing: A call failed or did not reach the server, or more calls did.
        """
        self.watched.reset()
        processors = Processors()
        ran = runner.run(calls)
        tally = self.watched.tally()
        self.report.strangers.append(processors.share_of_others(ran.spent + tally.cpu))
        if tally.scripts != calls or tally.failures:
            raise Missing(
                f"failed: of {calls} calls the server saw {tally.scripts}, {tally.failures} failed"
            )
        return Round(calls, ran.seconds, ran.cpu, tally.script_us, tally.cpu)


def _start(entrant: Entrant, order: Order) -> Runner:
    if entrant.contender:
        return Worker(replace(order, contender=entrant.contender))
    return RedisBenchmark(order, *entrant.shape)
