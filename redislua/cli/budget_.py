"""``redislua budget``."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path

import click

from redislua.budget import render
from redislua.budget.baseline import NAME, Baseline
from redislua.budget.model import Report
from redislua.budget.run import Budgets
from redislua.budget.settings import LIMIT_US, Settings, read_limit
from redislua.cli import project
from redislua.cli.budget_output import Watching, print_report
from redislua.cli.console import FOUND, exits, stderr
from redislua.cli.servers import server_option
from redislua.codegen.load import load_operations
from redislua.errors import ConfigError, NoProject
from redislua.spec.registry import Registry


@click.command("budget")
@click.argument("names", metavar="[FAMILY | FAMILY.NAME]...", nargs=-1)
@click.option("--quick", is_flag=True, help="A fifth of the calls, for while you edit.")
@click.option("--update", is_flag=True, help=f"Record the counted figures in scripts/{NAME}.")
@click.option("--json", "json_to", metavar="FILE", help="Write everything as JSON; - is stdout.")
@click.option("--junit", "junit_to", metavar="FILE", help="Write JUnit XML; - is stdout.")
@click.option("--markdown", "markdown_to", metavar="FILE", help="Write Markdown; - is stdout.")
@click.option("--html", "html_to", metavar="FILE", help="Write a page with every histogram.")
@server_option
@exits
def command(
    names: tuple[str, ...],
    quick: bool,
    update: bool,
    json_to: str | None,
    junit_to: str | None,
    markdown_to: str | None,
    html_to: str | None,
    kind: str,
) -> int:
    """Prove that no script can hold the server for long.

    Every script is called in its worst cases: the state that its sidecar
    `<name>.v<N>.worst.lua` makes, at growing sizes, with arguments at the ends of their
    ranges. Counted are commands, instructions of the Lua machine and elements of the reply,
    which are the same in each run: against the header's @budget, how they grow with n, and
    against scripts/budget.jsonl, which --update writes (+20 % fails). Measured is the
    server's own time of each call, 1000 times in the slowest case and 50 times in the
    others, beside a calibration script in the same run, so that a busy machine is not taken
    for a slow script: p99.9 against `limit` of [tool.redislua.budget] (1 ms when it says
    nothing), the maximum against 5 ms.

    \b
    Examples:
      redislua budget
      redislua budget limit.gcra --quick
      redislua budget --update
      redislua budget --json - | jq '.scripts[] | select(.reasons != [])'
      redislua budget --server binary:/usr/bin/redis-server --html budget.html

    Exits 1 when a script is beyond its budget.
    """
    outputs = {"json": json_to, "junit": junit_to, "markdown": markdown_to, "html": html_to}
    if [*outputs.values()].count("-") > 1:
        raise ConfigError("only one report can go to stdout: give a file to the others")
    began = time.monotonic()
    scripts = project.scripts()
    limit = _limit()
    settings = Settings.quick(limit) if quick else Settings(limit_us=limit)
    chosen = project.select(scripts, names)
    path = _baseline_path(scripts, update=update)
    baseline = Baseline.read(path) if path is not None else None
    operations = load_operations(scripts)
    with Watching(len(chosen), settings) as watching:
        compared = None if update else baseline
        budgets = Budgets(scripts, operations, kind, settings, compared, watching.step)
        report = budgets.run(chosen, watching.add)
    if update and baseline is not None and path is not None:
        known = {script.file for script in scripts.scripts}
        path.write_text(baseline.updated(report.scripts, known).text(), encoding="utf-8")
        stderr().print(f"wrote {os.path.relpath(path)}", style="dim")
    for form, place in outputs.items():
        if place is not None:
            _write(_text(report, form), place)
    if "-" not in outputs.values():
        print_report(report, time.monotonic() - began)
    return 0 if report.passed else FOUND


def _limit() -> int:
    try:
        return read_limit(project.config().root / "pyproject.toml")
    except NoProject:
        return LIMIT_US


def _baseline_path(scripts: Registry, *, update: bool) -> Path | None:
    """Where the figures stand; None outside a project."""
    try:
        project.config()
    except NoProject as error:
        if update:
            raise ConfigError(f"--update needs a project to write to: {error}") from error
        return None
    return scripts.root / NAME


def _text(report: Report, form: str) -> str:
    if form == "json":
        return report.to_json()
    if form == "junit":
        return render.junit(report)
    if form == "markdown":
        return render.markdown(report)
    page: str = importlib.import_module("redislua.budget.report").render(report)
    return page


def _write(text: str, place: str) -> None:
    if place == "-":
        click.echo(text, nl=False)
    else:
        Path(place).write_text(text, encoding="utf-8")
        stderr().print(f"wrote {place}", style="dim")
