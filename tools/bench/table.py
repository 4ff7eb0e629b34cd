"""Reports as text: tables for a terminal, and the same tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from .measured import Contest, Entry, Figure

LEGEND = """\
- *calls x*: calls per second divided by the baseline's, which is the line with 1.00: the
  median over the rounds of the two rates in the same round; *middle half* is where half of
  the rounds lie. *time x* is the same the other way round, the share of the baseline's time.
- *calls/s* and *us/call*: medians over the rounds, all callers together.
- *client us*: processor time of the client's process per call, all its threads. *server us*:
  processor time of the server's main thread per call. *script us*: the part of it inside the
  script, as `INFO commandstats` says.
"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table before it is laid out.

    Attributes:
        title: Above the table.
        heads: The heads of the columns; all but the first and the last are of numbers.
        rows: Their cells.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> Table:
        """Return the table for a terminal."""
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD)
        for at, head in enumerate(self.heads):
            if 0 < at < len(self.heads) - 1:
                table.add_column(head, justify="right", no_wrap=True)
            else:
                table.add_column(head, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """Return the table in Markdown, with its title as a heading."""
        last = len(self.heads) - 1
        rules = ["--:" if 0 < at < last else "---" for at in range(len(self.heads))]
        body = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in self.rows]
        lines = [" | ".join(self.heads), " | ".join(rules), *body]
        return f"### {self.title}\n\n" + "".join(f"| {line} |\n" for line in lines)


def of_contest(contest: Contest) -> Sheet:
    """Return the sheet of a contest: the ratio to its baseline first, then what it is made of."""
    title = f"{contest.title} ({contest.conditions})" if contest.conditions else contest.title
    heads = (
        "",
        "calls x",
        "middle half",
        "time x",
        "calls/s",
        "us/call",
        "client us",
        "server us",
        "script us",
        "",
    )
    return Sheet(title, heads, [_line(contest, entry) for entry in contest.entries.values()])


def of_figures(figures: Sequence[Figure]) -> Sheet:
    """Return the sheet of the figures that are no contests."""
    rows = [
        [one.title, "-" if one.value is None else f"{one.value:.2f}", one.missing or one.unit]
        for one in figures
    ]
    return Sheet("Figures that are no contests", ("", "measured", "unit"), rows)


def _line(contest: Contest, entry: Entry) -> list[str]:
    if not entry.rounds:
        return [entry.name, *["-"] * 8, entry.missing]
    return [
        entry.name,
        *_compared(contest, entry),
        f"{entry.rate:,.0f}",
        f"{1e6 / entry.rate:.1f}",
        f"{entry.median(lambda one: 1e6 * one.cpu / one.calls):.1f}",
        f"{entry.median(lambda one: 1e6 * one.server_cpu / one.calls):.1f}",
        f"{entry.median(lambda one: one.script_us / one.calls):.1f}",
        entry.note,
    ]


def _compared(contest: Contest, entry: Entry) -> list[str]:
    """Return ratio, middle half and share of time, or dashes without a baseline."""
    if not contest.entries[contest.baseline].rounds:
        return ["-"] * 3
    ratios = contest.ratios(entry.name, contest.baseline)
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return [f"{middle:.2f}", f"{low:.2f}-{high:.2f}", f"{1 / middle:.2f}"]
