"""Seed every kind of defect into every script, and count what the linter reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.engine import Linter
from redislua.spec.model import Script

from .seeding import Kind

__all__ = ["Outcome", "measure", "reports", "total"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kind.

    Attributes:
        kind: The kind.
        reported: Scripts in which it was reported.
        missed: Scripts in which it was not.
    """

    kind: Kind
    reported: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def applied(self) -> int:
        """In how many scripts it was seeded."""
        return len(self.reported) + len(self.missed)


def measure(kinds: Iterable[Kind], scripts: Sequence[Script]) -> list[Outcome]:
    """Lint every script with every defect that applies to it."""
    linter = Linter()
    before = {
        script.file: linter.file(script.source, script.file).diagnostics for script in scripts
    }
    outcomes = []
    for kind in kinds:
        found: dict[bool, list[str]] = {True: [], False: []}
        for script in scripts:
            seeded = kind.seed(script)
            if seeded is not None:
                after = linter.file(seeded, script.file).diagnostics
                found[reports(kind, before[script.file], after)].append(script.file)
        outcomes.append(Outcome(kind, tuple(found[True]), tuple(found[False])))
    return outcomes


def reports(kind: Kind, before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> bool:
    """Whether a defect is among what is found with it and was not found without it."""
    known = {(one.code, one.message) for one in before}
    return any(
        one.code.startswith(kind.codes) and (one.code, one.message) not in known for one in after
    )


def total(outcomes: Iterable[Outcome]) -> float:
    """The share of seeded defects that were reported, from 0 to 1."""
    reported = applied = 0
    for one in outcomes:
        reported += len(one.reported)
        applied += one.applied
    return reported / applied if applied else 0.0
