"""Measure one case until it is clear whether it is too slow."""

from __future__ import annotations

from redislua.budget.bench import Bench
from redislua.budget.cases import Planned
from redislua.budget.judge import measured_of, wants_another
from redislua.budget.model import Measured
from redislua.budget.settings import Settings
from redislua.probe.commandstats import Counted


def measure(bench: Bench, planned: Planned, counted: Counted, settings: Settings) -> Measured:
    """Measure the staged case: once, and again as long as it seems too slow.

    Raises:
        Held: A call did not end.
    """
    rounds = []
    while True:
        rounds.append(bench.measure(planned, counted, settings.calls, settings.seconds))
        measured = measured_of(rounds)
        if not wants_another(measured, settings.limit_us, settings.hard_us):
            return measured
