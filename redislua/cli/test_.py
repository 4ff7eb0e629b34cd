"""``redislua test``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import click
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, stderr, stdout
from redislua.cli.servers import server_option
from redislua.cli.test_output import (
    Report,
    print_coverage,
    print_left,
    read_cov,
    write_report,
)
from redislua.codegen.load import Operation, load_operations
from redislua.errors import NoProject
from redislua.probe.examples import ExampleResult, run_examples
from redislua.probe.faults import Left, find_left
from redislua.probe.sweep import sweep
from redislua.server import start
from redislua.spec.model import Script
from redislua.spec.registry import Registry


@click.command("test")
@click.argument("names", metavar="[FAMILY | FAMILY.NAME]...", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Show every line, not those of failures alone.")
@click.option(
    "--cov",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[lcov:FILE|cobertura:FILE]",
    help="Show which lines and branches ran. Repeatable, for several files.",
)
@click.option("--fault", is_flag=True, help="Fail each command in turn: what stays behind?")
@server_option
@exits
def command(
    names: tuple[str, ...], verbose: bool, cov: tuple[str, ...], fault: bool, kind: str
) -> int:
    """Run every @example on a real server and compare what comes back.

    Each example starts on an empty database. Each call runs as a throw-away ACL user who
    may touch exactly the keys and channels that the header declares, so an undeclared key
    fails here and not in production. What a call leaves behind is compared with the header:
    types, expiries, and the format number of a @state. (The @budget is not measured here.)

    With --cov the examples run once more, in a Lua of our own whose commands the server
    answers, to see which lines ran and which way each condition, `and`, `or` and loop went.
    Around each call then come calls that no example can make: with arguments that the
    header excludes, on damaged keys, with the clock set back. The last column is what the
    examples run without those; -v names each branch that was never taken.

    With --fault each command of each call fails in turn, and so do those other calls. FAIL
    is a write that stayed behind a failure that can happen: check first, then write. A note
    is one behind a command that only an ACL refuses, which the same call sent again does
    not mend. Scripts that use cjson, cmsgpack, struct or bit are left out of both.

    \b
    Examples:
      redislua test
      redislua test limit.gcra -v
      redislua test --cov --cov=lcov:build/lua.info --cov=cobertura:build/lua.xml
      redislua test cache --fault
      redislua test --server binary:/usr/bin/redis-server
    """
    reports, more = read_cov(cov)
    scripts = project.scripts()
    operations = load_operations(scripts)
    chosen = [operations[name].spec for name in project.select(scripts, (*names, *more))]
    failed = _examples(scripts, operations, kind, chosen, verbose)
    if cov:
        failed |= _coverage(scripts, operations, kind, chosen, reports, verbose)
    if fault:
        failed |= _faults(scripts, operations, kind, chosen)
    return FOUND if failed else 0


def _examples(
    scripts: Registry,
    operations: Mapping[str, Operation],
    kind: str,
    chosen: list[Script],
    verbose: bool,
) -> bool:
    """Run the examples, and return whether something is wrong."""
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
        return True
    style = "red" if failed else "green"
    tail = f", {skipped} skipped" if skipped else ""
    stdout().print(f"{counted(passed, 'example')} passed, {failed} failed{tail}", style=style)
    return bool(failed)


def _coverage(
    scripts: Registry,
    operations: Mapping[str, Operation],
    kind: str,
    chosen: list[Script],
    reports: list[Report],
    verbose: bool,
) -> bool:
    with start(kind) as running, stderr().status("coverage") as status:
        swept = sweep(scripts, operations, running.url, chosen, status.update)
    print_coverage(swept, verbose=verbose)
    for report in reports:
        write_report(report, swept.all, _folder())
    return bool(swept.problems)


def _faults(
    scripts: Registry, operations: Mapping[str, Operation], kind: str, chosen: list[Script]
) -> bool:
    """Fail one command after the other, and return whether a script fails half-way."""
    found: list[Left] = []
    with start(kind) as running, stderr().status("faults") as status:
        for left in find_left(scripts, operations, running.url, chosen, status.update):
            print_left(left, _folder())
            found.append(left)
    failures = sum(left.kind == "fails" for left in found)
    notes = counted(len(found) - failures, "note")
    text = f"{counted(failures, 'failure')} with writes left behind, {notes}"
    stdout().print(text, style="red" if failures else "green")
    return failures > 0


def _folder() -> str:
    """The scripts folder as paths are shown, from the configuration's folder; or none."""
    try:
        return project.folder_name(project.config())
    except NoProject:
        return ""


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
