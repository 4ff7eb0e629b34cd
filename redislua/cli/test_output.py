"""What ``redislua test --cov`` and ``--fault`` print and write."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

import redislua
from redislua.cli.console import stdout
from redislua.errors import ConfigError
from redislua.probe.coverage import Coverage, FileCoverage, cobertura, lcov, spans
from redislua.probe.faults import Left
from redislua.probe.sweep import Swept

__all__ = ["Report", "print_coverage", "print_left", "read_cov", "write_report"]

FORMATS = ("lcov", "cobertura")


class Report(NamedTuple):
    """A file to write.

    Attributes:
        form: ``lcov`` or ``cobertura``.
        path: Where.
    """

    form: str
    path: Path


def read_cov(values: Iterable[str]) -> tuple[list[Report], tuple[str, ...]]:
    """Read what stood behind each ``--cov``: files to write, and names of scripts.

    A name is one that a shell put behind a bare ``--cov``.

    Raises:
        ConfigError: A value is neither.
    """
    reports: list[Report] = []
    names: list[str] = []
    for value in filter(None, values):
        form, colon, path = value.partition(":")
        if colon and form in FORMATS and path:
            reports.append(Report(form, Path(path)))
        elif colon:
            raise ConfigError(f"--cov={value}: expected lcov:FILE or cobertura:FILE")
        else:
            names.append(value)
    return reports, tuple(names)


def write_report(report: Report, coverage: Coverage, folder: str) -> None:
    """Write one file, with the folders that it needs."""
    if report.form == "lcov":
        text = lcov(coverage, folder)
    else:
        now = int(time.time() * 1000)
        text = cobertura(coverage, folder, version=redislua.__version__, timestamp=now)
    report.path.parent.mkdir(parents=True, exist_ok=True)
    report.path.write_text(text, encoding="utf-8")
    stdout().print(f"wrote {escape(str(report.path))}")


def print_coverage(swept: Swept, *, verbose: bool) -> None:
    """Print a row for each script, and with ``verbose`` each branch that was not taken."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("script")
    for title in ("lines", "branches", "by examples alone"):
        table.add_column(title, justify="right")
    table.add_column("missing lines; branches", overflow="fold")
    alone = {one.file: one for one in swept.examples}
    for one in swept.all:
        if one.why_not:
            table.add_row(one.file, "", "", "", one.why_not, style="yellow")
            continue
        table.add_row(*_row(one, alone[one.file]), style="" if _is_whole(one) else "yellow")
    total = [_percent(share) for share in (swept.all.line_share, swept.all.way_share)]
    both = f"{_percent(swept.examples.line_share)} {_percent(swept.examples.way_share)}"
    table.add_row("all", *total, both, "", style="bold")
    stdout().print(table)
    for one in swept.all if verbose else ():
        for fork, way in one.missing_ways:
            place = f"{one.file}:{fork.line}:{fork.column}"
            text = f"{fork.word} {fork.text}"
            stdout().print(f"{place} never {fork.way(way)}: {text}", markup=False)
    for problem in swept.problems:
        stdout().print(problem, style="red", markup=False)


def _is_whole(one: FileCoverage) -> bool:
    return not one.missing_lines and not one.missing_ways


def _row(one: FileCoverage, alone: FileCoverage) -> list[str]:
    lines, ways = len(one.lines), len(one.ways)
    forks = [f"{fork.line} {fork.word} {fork.way(way)}" for fork, way in one.missing_ways]
    missing = [spans(one.missing_lines, one.lines), ", ".join(forks)]
    return [
        one.file,
        f"{one.lines_run}/{lines}",
        f"{one.ways_taken}/{ways}",
        f"{alone.lines_run}/{lines} {alone.ways_taken}/{ways}",
        escape("; ".join(filter(None, missing))),
    ]


def _percent(share: float) -> str:
    """Cut, not rounded: 100 % is all of it."""
    return f"{int(share * 1000) / 10:.1f} %"


def print_left(left: Left, folder: str) -> None:
    """Print writes that stayed behind a failure."""
    mark = "[red]FAIL[/red]" if left.kind == "fails" else "[yellow]note[/yellow]"
    place = f"{folder}/{left.script.file}" if folder else left.script.file
    where = f"{place}:{left.line}" if left.line else place
    console = stdout()
    console.print(f"{mark} {where} [bold]{escape(left.failed)}[/bold]")
    console.print(f"     failed with {escape(left.why)}", style="dim")
    for sent in left.writes:
        console.print(f"     stayed: line {sent.line} {escape(sent.text)}")
    if not left.writes:
        keys = ", ".join(repr(key)[1:] for key in left.keys)
        console.print(f"     changed: {escape(keys)}")
    console.print(f"     in {escape(left.example)}", style="dim")
