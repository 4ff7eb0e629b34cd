"""The labels of a script, and how the linter's diagnostics compare with them.

A file ``<name>.labels.toml`` beside ``<name>.lua`` holds:

- ``[[defects]]``: ``line``; ``also``, further lines where the same defect may be reported;
  ``kind`` in words; ``codes``, the rules any of which counts as finding it; ``severity``, what
  a careful reviewer would give; ``reason``.
- ``[[silent]]``: ``line`` and ``code`` of a near miss which that rule must not report, and the
  ``reason`` why it is none.
- ``[[arguable]]``: ``line``, ``codes`` and ``reason`` where reporting is neither asked for nor
  wrong: careful readers differ.
- ``[[runs]]``: what a server answers, as evidence: ``setup`` (commands), ``keys``, ``args``,
  then ``reply`` (as JSON) or ``error`` (a part of its text) with the ``line`` that raises it.
- ``loads = false`` for a script that a server refuses to load.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redislua.lint.diagnostic import Diagnostic, Severity

FOLDER = Path(__file__).parent / "foreign"
NEAR = 1
"""How many lines away from its label a diagnostic still counts as the same place."""


@dataclass(frozen=True, slots=True)
class Defect:
    """What a careful reader would report.

    Attributes:
        lines: Where, 1-based; the first is where it is seen best.
    """

    lines: tuple[int, ...]
    kind: str
    codes: tuple[str, ...]
    severity: Severity
    reason: str

    def is_found_by(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic is this defect: one of its rules, at one of its places."""
        return diagnostic.code in self.codes and any(
            abs(diagnostic.line - line) <= NEAR for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A near miss: what ``code`` must not report on ``line``."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Arguable:
    """A place where any of ``codes`` may be reported or not."""

    line: int
    codes: tuple[str, ...]
    reason: str

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic is about this."""
        return diagnostic.code in self.codes and abs(diagnostic.line - self.line) <= NEAR


@dataclass(frozen=True, slots=True)
class Sample:
    """A script and its labels."""

    name: str
    source: bytes
    defects: tuple[Defect, ...]
    silent: tuple[Silence, ...]
    arguable: tuple[Arguable, ...]
    runs: tuple[dict[str, Any], ...]
    loads: bool


def read(path: Path) -> Sample:
    """Read a script and the labels beside it."""
    labels = tomllib.loads(path.with_suffix(".labels.toml").read_text("utf-8"))
    return Sample(
        path.stem,
        path.read_bytes(),
        tuple(
            Defect(
                (one["line"], *one.get("also", ())),
                one["kind"],
                tuple(one["codes"]),
                Severity(one["severity"]),
                one["reason"],
            )
            for one in labels.get("defects", ())
        ),
        tuple(Silence(**one) for one in labels.get("silent", ())),
        tuple(
            Arguable(one["line"], tuple(one["codes"]), one["reason"])
            for one in labels.get("arguable", ())
        ),
        tuple(labels.get("runs", ())),
        labels.get("loads", True),
    )


def samples() -> list[Sample]:
    """Return every labelled script, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.lua"))]


@dataclass(slots=True)
class Score:
    """How the diagnostics of all scripts compare with their labels."""

    defects: int = 0
    errors: int = 0
    missed: list[str] = field(default_factory=list)
    false_errors: list[str] = field(default_factory=list)
    broken_silence: list[str] = field(default_factory=list)

    def add(self, sample: Sample, diagnostics: Iterable[Diagnostic]) -> None:
        """Compare the diagnostics of one script."""
        found = list(diagnostics)
        self.defects += len(sample.defects)
        self.missed += [
            f"{sample.name}.lua:{one.lines[0]}: {'/'.join(one.codes)} {one.kind}: {one.reason}"
            for one in sample.defects
            if not any(one.is_found_by(diagnostic) for diagnostic in found)
        ]
        errors = [one for one in found if one.severity is Severity.ERROR]
        self.errors += len(errors)
        self.false_errors += [
            f"{sample.name}.lua:{one.line}: {one.code} {one.message}"
            for one in errors
            if not any(defect.is_found_by(one) for defect in sample.defects)
            and not any(place.covers(one) for place in sample.arguable)
        ]
        places = {(one.line, one.code): one for one in found}
        self.broken_silence += [
            f"{sample.name}.lua:{one.line}: {one.code} {places[one.line, one.code].message}"
            f" (no defect: {one.reason})"
            for one in sample.silent
            if (one.line, one.code) in places
        ]

    @property
    def recall(self) -> float:
        """Share of the labelled defects that were found."""
        return 1 - len(self.missed) / self.defects

    @property
    def precision(self) -> float:
        """Share of the errors reported that are labelled; 1 when there are none."""
        return 1 - len(self.false_errors) / self.errors if self.errors else 1.0
