"""What was measured: rounds, and the medians and ratios that are made of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one contender.

    Attributes:
        calls: How many calls were made.
        seconds: How long they took.
        cpu: Seconds of processor time of the client's process, all threads.
        script_us: Microseconds that the server spent in scripts.
        server_cpu: Seconds of processor time of the servers' main threads.
    """

    calls: int
    seconds: float
    cpu: float
    script_us: float
    server_cpu: float

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """One contender's line in a contest.

    Attributes:
        name: As printed.
        rounds: Its rounds; the n-th is beside every other contender's n-th. Empty for
            one that is not in the contest.
        missing: Why it is not.
        note: How its line differs from the others'.
    """

    name: str
    rounds: tuple[Round, ...] = ()
    missing: str = ""
    note: str = ""

    def median(self, of: Callable[[Round], float]) -> float:
        """Return the median over the rounds."""
        return statistics.median(map(of, self.rounds))

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.median(lambda one: one.rate)


@dataclass(frozen=True, slots=True)
class Contest:
    """Contenders side by side.

    Attributes:
        name: What the goals know it by, ``asyncio 50``.
        title: As printed.
        baseline: The name of the entry that ratios are made to.
        entries: By name, in printing order.
        conditions: What was the same for all, in a sentence.
    """

    name: str
    title: str
    baseline: str
    entries: Mapping[str, Entry]
    conditions: str = ""

    def ratios(self, name: str, to: str) -> list[float]:
        """Return, round by round, how many times the calls of ``to`` were made by ``name``."""
        ours, theirs = self.entries[name].rounds, self.entries[to].rounds
        return [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]

    def ratio(self, name: str, to: str) -> float | None:
        """Return the median of `ratios`, or None where one of the two is missing."""
        for one in (name, to):
            if one not in self.entries or not self.entries[one].rounds:
                return None
        return statistics.median(self.ratios(name, to))


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is no contest.

    Attributes:
        name: What the goals know it by.
        title: As printed.
        value: The number, or None where it could not be had.
        unit: Its unit.
        missing: Why it could not be had.
    """

    name: str
    title: str
    value: float | None
    unit: str
    missing: str = ""


@dataclass(slots=True)
class Report:
    """Everything that a run measured.

    Attributes:
        contests: In printing order.
        figures: In printing order.
        versions: What it was measured on.
        strangers: Share of the machine's processor time, by round, that went to processes
            which are no part of the benchmark.
    """

    contests: list[Contest] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    strangers: list[float] = field(default_factory=list)

    def contest(self, name: str) -> Contest | None:
        """Return the contest of that name, where it was held."""
        return next((one for one in self.contests if one.name == name), None)

    def figure(self, name: str) -> Figure | None:
        """Return the figure of that name, where it was taken."""
        return next((one for one in self.figures if one.name == name), None)
