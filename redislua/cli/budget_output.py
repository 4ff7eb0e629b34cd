"""The budget's table on a terminal, while it runs and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from redislua.budget.bench import CALIBRATION_US
from redislua.budget.model import Report, ScriptReport
from redislua.budget.render import HEADINGS, limits, row
from redislua.budget.settings import Settings
from redislua.cli.console import counted, stderr, stdout

_STYLES = {"pass": "green", "fail": "red", "skip": "yellow"}


class Watching:
    """Shows what is being run, on a terminal; nothing elsewhere. A context manager.

    Args:
        total: How many scripts there are.
        settings: What they are held against.
    """

    def __init__(self, total: int, settings: Settings) -> None:
        self._console = stderr()
        self._total = total
        self._report = Report("", settings.limit_us, settings.hard_us, CALIBRATION_US, ())
        self._done: list[ScriptReport] = []
        self._step = ("", "")
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def step(self, script: str, step: str) -> None:
        """Show what is done with a script now."""
        self._step = (script, step)
        self._show()

    def add(self, script: ScriptReport) -> None:
        """Show a script that is done."""
        self._done.append(script)
        self._step = ("", "")
        self._show()

    def _show(self) -> None:
        if not self._live.is_started:
            return
        table = _table()
        for script in self._done:
            table.add_row(*_cells(self._report, script))
        name, step = self._step
        table.add_row(f"[dim]{escape(name)}[/dim]", f"[dim]{escape(step)}[/dim]")
        table.caption = f"{len(self._done)} of {self._total}"
        self._live.update(table, refresh=True)


def print_report(report: Report, seconds: float) -> None:
    """Print the table, and under it why scripts fail."""
    console = stdout()
    table = _table()
    for script in report.scripts:
        table.add_row(*_cells(report, script))
    console.print(table, soft_wrap=False)
    for script in report.scripts:
        _print_texts(script)
    failed = sum(not script.passed for script in report.scripts)
    console.print()
    console.print(
        f"{report.server}: {counted(len(report.scripts), 'script')}, {failed} failed; "
        f"{limits(report)}; {seconds:.0f} s",
        style="red" if failed else "green",
    )


def _print_texts(script: ScriptReport) -> None:
    console = stdout()
    place = f"{script.file}:"
    for reason in script.reasons:
        console.print(f"[red]FAIL[/red] {place} [bold]{reason.depth}[/bold]: {escape(reason.text)}")
    if script.skipped:
        console.print(f"[yellow]skip[/yellow] {place} {escape(script.skipped)}")
    for note in script.notes:
        console.print(f"[dim]note {place} {escape(note)}[/dim]")


def _table() -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for place, heading in enumerate(HEADINGS):
        table.add_column(heading, no_wrap=True, justify="right" if place > 1 else "left")
    table.add_column("verdict", no_wrap=True)
    return table


def _cells(report: Report, script: ScriptReport) -> Sequence[str]:
    style = _STYLES[script.verdict]
    return (*map(escape, row(report, script)), f"[{style}]{script.verdict}[/{style}]")
