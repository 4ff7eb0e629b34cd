"""``redislua bench``."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table as Grid

from redislua.cli.connecting import opened
from redislua.cli.console import exits, stderr, stdout
from redislua.inspect.latency import FORBIDDEN, Figure, Table, measure

_STYLES = {"quicker": "green", "as quoted": "", "slower": "red", "not quoted": "dim"}


@click.command("bench")
@click.argument("url")
@click.option(
    "--rounds",
    type=click.IntRange(min=10),
    default=1_000,
    show_default=True,
    help="How often to run each operation.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@exits
def command(url: str, rounds: int, as_json: bool) -> int:
    """Measure a server's latencies beside those that are commonly quoted.

    GET and SET, HGET and HSET, ZADD and ZRANK, the top 10 of 1 000, a pipeline of 100, a
    simple script, PFADD and PFCOUNT, SCAN: each with its median and the time that 99 of 100
    runs keep to, as a client on this machine sees them, the way there and back included.
    One connection, one operation at a time, in turns: some 120 000 commands in a second or two.

    Written are keys that begin with redislua-bench, which are removed at the end and expire
    after ten minutes whatever happens; the script stays in the server's script cache. Of a
    cluster the node that owns the keys is measured.

    URL is redis://user:password@host:6379/0, with TLS rediss://, or unix:///path, or
    redis+cluster://host,host, or redis+sentinel://host/name.

    \b
    Examples:
      redislua bench redis://localhost:6379
      redislua bench redis+cluster://n1:6379,n2:6379 --rounds 5000
      redislua bench redis://localhost:6379 --json | jq '.operations[] | {name, p99_ms}'
    """
    progress = Progress(
        TextColumn("measuring"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        console=stderr(),
        transient=True,
    )
    with opened(url) as clients, progress:
        task = progress.add_task("", total=rounds)
        table = measure(clients, rounds, lambda done: progress.update(task, completed=done))
    if as_json:
        click.echo(json.dumps(_document(table), indent=2))
    else:
        _print(table)
    return 0


def _print(table: Table) -> None:
    console = stdout()
    grid = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("operation", "complexity", "quoted ms", "p50 ms", "p99 ms", "median is"):
        is_text = heading in ("operation", "complexity", "median is")
        grid.add_column(heading, no_wrap=True, justify="left" if is_text else "right")
    for figure in table.figures:
        grid.add_row(*_row(figure))
    grid.add_row(FORBIDDEN[0], FORBIDDEN[1], "", "", "", f"[dim]{FORBIDDEN[2]}[/dim]")
    console.print(f"{escape(table.node)}, {table.rounds} rounds", style="bold")
    console.print(grid, soft_wrap=False)
    console.print()
    for note in table.notes:
        console.print(f"- {escape(note)}")


def _row(figure: Figure) -> tuple[str, ...]:
    quoted = figure.quoted
    style = _STYLES[figure.verdict]
    verdict = figure.verdict
    text = f"{verdict}, p99 slower" if quoted and _is_tail_slow(figure) else verdict
    return (
        escape(figure.name),
        quoted.complexity if quoted else "",
        f"{quoted.low:g}-{quoted.high:g}" if quoted else "",
        f"{figure.p50:.3f}",
        f"{figure.p99:.3f}",
        f"[{style}]{text}[/]" if style else text,
    )


def _is_tail_slow(figure: Figure) -> bool:
    quoted = figure.quoted
    return quoted is not None and figure.verdict != "slower" and figure.p99 > quoted.high


def _document(table: Table) -> dict[str, Any]:
    return {
        "node": table.node,
        "rounds": table.rounds,
        "operations": [
            {
                "name": figure.name,
                "quoted_ms": [figure.quoted.low, figure.quoted.high] if figure.quoted else None,
                "p50_ms": round(figure.p50, 4),
                "p99_ms": round(figure.p99, 4),
                "median_is": figure.verdict,
            }
            for figure in table.figures
        ],
        "notes": list(table.notes),
    }
