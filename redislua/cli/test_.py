"""``redislua test``."""

from __future__ import annotations

import contextlib

import click
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, stdout
from redislua.cli.servers import server_option
from redislua.codegen.load import load_operations
from redislua.probe.examples import ExampleResult, run_examples


@click.command("test")
@click.argument("names", metavar="[FAMILY | FAMILY.NAME]...", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Show every line, not those of failures alone.")
@server_option
@exits
def command(names: tuple[str, ...], verbose: bool, kind: str) -> int:
    """Run every @example on a real server and compare what comes back.

    Each example starts on an empty database. Each call runs as a throw-away ACL user who
    may touch exactly the keys and channels that the header declares, so an undeclared key
    fails here and not in production. What a call leaves behind is compared with the header:
    types, expiries, and the format number of a @state. (The @budget is not measured here.)

    \b
    Examples:
      redislua test
      redislua test limit.gcra -v
      redislua test --server binary:/usr/bin/redis-server
    """
    scripts = project.scripts()
    operations = load_operations(scripts)
    chosen = [operations[name].spec for name in project.select(scripts, names)]
    passed = failed = skipped = 0
    with contextlib.closing(run_examples(scripts, operations, kind, chosen)) as results:
        for result in results:
            if result.skipped:
                skipped += 1
                stdout().print(f"[yellow]skip[/yellow] {_place(result)} {escape(result.skipped)}")
                continue
            passed += result.passed
            failed += not result.passed
            if verbose or not result.passed:
                _print(result)
    for script in chosen:
        if not script.examples:
            stdout().print(f"[yellow]{script.file}: no @example[/yellow]")
    if not passed + failed + skipped:
        stdout().print("nothing was tested", style="red")
        return FOUND
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
