"""``python -m tools.bench.mutations``: the table, and exit code 1 below the goal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from redislua.spec.registry import load

from . import KINDS
from .run import Outcome, measure, total

GOAL = 0.95
PIPE_COLUMNS = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is reported of what was seeded."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.mutations", description=__doc__)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--missed", action="store_true", help="name the scripts that were missed")
    chosen = parser.parse_args(arguments)
    scripts = load(Path("scripts")).scripts
    outcomes = measure([one for one in KINDS if chosen.only in one.name], scripts)
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_COLUMNS)
    console.print(_table(outcomes, chosen.missed))
    share = total(outcomes)
    verdict = "reached" if share >= GOAL else "missed"
    console.print(
        f"{share:.1%} of the seeded defects are reported; the goal of {GOAL:.0%} is {verdict}"
    )
    return 0 if share >= GOAL else 1


def _table(outcomes: Sequence[Outcome], missed: bool) -> Table:
    table = Table("defect", "rules", box=box.SIMPLE)
    table.add_column("reported", justify="right")
    table.add_column("seeded", justify="right")
    if missed:
        table.add_column("missed in")
    for one in outcomes:
        style = "" if not one.missed else "red" if not one.reported else "yellow"
        cells = [one.kind.name, " ".join(one.kind.codes), str(len(one.reported)), str(one.applied)]
        table.add_row(*cells, *([", ".join(one.missed)] if missed else []), style=style)
    return table


if __name__ == "__main__":
    sys.exit(main())
