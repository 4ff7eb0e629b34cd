"""The committed figures: what each case cost when somebody last looked, one JSON line each.

The file stands in the scripts folder and is sorted, so that a change of cost is a line of
the diff that brings it. It holds counts alone, which are the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redislua.budget.model import Cost, Reason, ScriptReport
from redislua.errors import ConfigError

NAME = "budget.jsonl"
"""The file's name in the scripts folder."""

SLACK = 0.20
"""By which share a figure may grow before it fails."""

_FIGURES = ("calls", "instructions", "reply_elements")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures by file of the script and name of the case.

    Attributes:
        rows: Each figure by its name; None where it was not counted.
    """

    rows: dict[tuple[str, str], dict[str, int | None]]

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read the file; one that is not there is empty.

        Raises:
            ConfigError: A line is no line of a baseline.
        """
        rows: dict[tuple[str, str], dict[str, int | None]] = {}
        if not path.is_file():
            return cls(rows)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                rows[row["script"], row["case"]] = {name: row[name] for name in _FIGURES}
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(
                    f"{path}:{number}: not a line of a baseline ({error}); "
                    "`redislua budget --update` writes it anew"
                ) from error
        return cls(rows)

    def updated(self, reports: Iterable[ScriptReport], known: Collection[str]) -> Baseline:
        """Return the baseline with the figures of some scripts in place of their old ones.

        Args:
            reports: The scripts that were run.
            known: Files of all scripts: rows of others go.
        """
        run = {report.file: report for report in reports if not report.skipped}
        rows = {key: row for key, row in self.rows.items() if key[0] in known and key[0] not in run}
        for file, report in run.items():
            rows |= {(file, case.case.name): _row(case.cost) for case in report.cases}
        return Baseline(rows)

    def text(self) -> str:
        """Return the file's text."""
        lines = [
            json.dumps({"script": script, "case": case, **row}, ensure_ascii=False)
            for (script, case), row in sorted(self.rows.items(), key=_order)
        ]
        return "".join(f"{line}\n" for line in lines)

    def judge(self, report: ScriptReport) -> tuple[list[Reason], list[str]]:
        """Compare a script with its rows: what fails, and what should be known."""
        reasons: list[Reason] = []
        unknown, cheaper = 0, 0
        for case in report.cases:
            before = self.rows.get((report.file, case.case.name))
            if before is None:
                unknown += 1
                continue
            for name, old, new in _pairs(before, _row(case.cost)):
                if new > max(old, 1) * (1 + SLACK):
                    reasons.append(_dearer(case.case.name, name, old, new))
                cheaper += new < old * (1 - SLACK)
        notes = []
        if unknown:
            notes.append(f"{unknown} cases are not in {NAME}: `redislua budget --update`")
        if cheaper:
            notes.append(f"{cheaper} figures are over 20 % lower than in {NAME}")
        return reasons, notes


def _row(cost: Cost) -> dict[str, int | None]:
    return {name: getattr(cost, name) for name in _FIGURES}


def _order(item: tuple[tuple[str, str], Any]) -> tuple[str, int, str]:
    """By script, then n=10 before n=100, then by name."""
    (script, case), _ = item
    return script, int(case[2:]) if case.startswith("n=") and case[2:].isdigit() else 10**9, case


def _pairs(
    before: dict[str, int | None], now: dict[str, int | None]
) -> Iterator[tuple[str, int, int]]:
    for name in _FIGURES:
        old, new = before[name], now[name]
        if old is not None and new is not None:
            yield name.replace("_", " "), old, new


def _dearer(case: str, figure: str, old: int, new: int) -> Reason:
    share = f"+{100 * (new - old) / max(old, 1):.0f} %"
    return Reason(
        "deterministic",
        f"{case}: {new} {figure}, {old} in {NAME} ({share}); "
        "if that is meant, `redislua budget --update` records it",
    )
