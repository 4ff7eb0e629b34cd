"""``redislua test``."""

from __future__ import annotations

import click
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, stderr, stdout
from redislua.cli.servers import server_option
from redislua.probe.examples import ExampleResult, run_examples
from redislua.server import start


@click.command("test")
@click.argument("names", metavar="[FAMILY | FAMILY.NAME]...", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Show every line, not those of failures alone.")
@server_option
@exits
def command(names: tuple[str, ...], verbose: bool, kind: str) -> int:
    """Run every @example on a real server and compare what comes back.

    Each example starts on an empty database. Each call runs as a throw-away ACL user who
    may touch exactly the keys and channels that the header declares, so an undeclared key
    fails here and not in production.

    \b
    Examples:
      redislua test
      redislua test limit.gcra -v
      redislua test --server binary:/usr/bin/redis-server
    """
    scripts, operations = project.operations()
    chosen = [operations[name].spec for name in project.select(scripts, names)]
    passed = failed = skipped = 0
    with start(kind) as server:
        stderr().print(f"{server.version} ({kind})", style="dim")
        for result in run_examples(scripts, operations, server.url, chosen):
            if result.skipped:
                skipped += 1
                stdout().print(f"[yellow]skip[/yellow] {_place(result)} {escape(result.skipped)}")
                continue
            passed += result.passed
            failed += not result.passed
            if verbose or not result.passed:
                _print(result)
    untested = [script.file for script in chosen if not script.examples]
    for file in untested:
        stdout().print(f"[yellow]{file}: no @example[/yellow]")
    style = "red" if failed else "green"
    tail = f", {skipped} skipped" if skipped else ""
    stdout().print(f"{counted(passed, 'example')} passed, {failed} failed{tail}", style=style)
    return FOUND if failed else 0


def _place(result: ExampleResult) -> str:
    return f"{result.script.file}:{result.line}"


def _print(result: ExampleResult) -> None:
    console = stdout()
    mark = "[green]ok[/green]" if result.passed else "[red]FAIL[/red]"
    console.print(f"{mark} {_place(result)} [bold]{escape(result.title)}[/bold]")
    for line in result.lines:
        sign = "[red]x[/red]" if line.problem else "[green]=[/green]"
        console.print(f"   {sign} {escape(line.text)}")
        if line.problem:
            console.print(f"     got {escape(line.actual)}", style="red")
            console.print(f"     {escape(line.problem)}", style="dim")
        elif line.actual:
            console.print(f"     {escape(line.actual)}", style="dim")
