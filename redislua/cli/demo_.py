"""``redislua demo``."""

from __future__ import annotations

import time

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, stderr, stdout
from redislua.cli.servers import server_option
from redislua.codegen.load import load_operations
from redislua.codegen.render import render
from redislua.probe.load import CALLERS, LoadResult, Tally, run_load
from redislua.probe.slowlog import Summary
from redislua.server import start

LIMIT_US = 5_000
FLUSHES = 8


@click.command("demo")
@click.option(
    "--calls",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Calls of each operation, at least.",
)
@server_option
@exits
def command(calls: int, kind: str) -> int:
    """Run the whole job once: read, generate, and call every operation under load.

    Eight callers at once play the examples of every script at the same keys, while the
    server's script cache is emptied again and again. At the end: what came back, and how
    long each script held the server, against the limit of 5 ms.

    \b
    Examples:
      redislua demo
      redislua demo --calls 2000 --server binary:/usr/bin/redis-server
    """
    began = time.monotonic()
    console = stdout()
    scripts = project.scripts()
    families = ", ".join(f"{family} ({len(found)})" for family, found in scripts.families.items())
    console.print(f"[bold]found[/bold]      {counted(len(scripts.names), 'script')}: {families}")
    texts = render(scripts)
    operations = load_operations(scripts, texts)
    lines = sum(text.count("\n") for text in texts.values())
    console.print(
        f"[bold]generated[/bold]  {counted(len(texts), 'module')}, {lines} lines of Python"
    )
    with start(kind) as server:
        console.print(f"[bold]server[/bold]     {server.version} ({kind})")
        progress = Progress(
            TextColumn("[bold]calling[/bold]    {task.description:<30}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=stderr(),
            transient=True,
        )
        with progress:
            task = progress.add_task("", total=calls * len(operations))

            def on_call(name: str) -> None:
                progress.update(task, advance=1, description=name)

            result = run_load(
                scripts,
                operations,
                server.url,
                calls=calls,
                flush_every=max(1, calls * len(operations) // FLUSHES),
                on_call=on_call,
            )
    _print(result, time.monotonic() - began)
    return FOUND if result.failures or _slowest(result) >= LIMIT_US else 0


def _print(result: LoadResult, seconds: float) -> None:
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("script", no_wrap=True)
    for heading in ("calls", "p50 us", "p99 us", "max us"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("of 5 ms", justify="right", no_wrap=True)
    table.add_column("outcomes")
    for name, tally in result.tallies.items():
        table.add_row(name, *_row(tally))
    console.print()
    console.print(table, soft_wrap=False)
    console.print()
    total = sum(tally.calls for tally in result.tallies.values())
    failures = result.failures
    console.print(
        f"{total} calls by {CALLERS} callers at once, {counted(result.flushes, 'SCRIPT FLUSH').replace('FLUSHs', 'FLUSHes')} "
        f"in between, [{'red' if failures else 'green'}]{len(failures)} failed[/]; "
        f"the slowest script held the server for {_slowest(result)} us; {seconds:.1f} s in all"
    )
    for text in failures[:5]:
        console.print(f"  [red]{escape(text)}[/red]")


def _row(tally: Tally) -> tuple[str, ...]:
    outcomes = ", ".join(f"{name} {count}" for name, count in tally.outcomes.most_common())
    if not tally.calls:
        outcomes = "not called: it has no @example"
    if not tally.samples:
        return (str(tally.calls), "-", "-", "-", "-", outcomes)
    summary = Summary.of(tally.samples)
    share = f"{100 * summary.max / LIMIT_US:.1f} %"
    figures = (str(summary.p50), str(summary.p99), str(summary.max))
    return (str(tally.calls), *figures, share, outcomes)


def _slowest(result: LoadResult) -> int:
    return max((max(tally.samples, default=0) for tally in result.tallies.values()), default=0)
