"""``redislua check``."""

from __future__ import annotations

from dataclasses import replace

import click

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, report, stderr, stdout
from redislua.cli.lint_output import paint
from redislua.codegen.render import render
from redislua.codegen.write import compare
from redislua.errors import GenerateError, HeaderError, ScriptsRefused
from redislua.lint.engine import lint_sources
from redislua.lint.rules.bad_header import BadHeader
from redislua.lint.settings import Settings
from redislua.spec.config import Config, find_lint_config
from redislua.spec.registry import Registry, load, read_sources


@click.command("check")
@exits
def command() -> int:
    """Check everything that needs no server; every problem of every file in one run.

    Headers and their examples, names, the slot proof, that no two scripts can mean the
    same key differently, what `redislua lint` finds, and that the generated code is what
    the scripts give now.

    \b
    Example:
      redislua check
    """
    config = project.config()
    problems, scripts = _read(config)
    count = report(sorted(problems, key=lambda found: (found.file, found.line, found.column)))
    count += _lint(config)
    if scripts is not None:
        count += _check_generated(config, scripts)
    if count:
        stderr().print(f"{counted(count, 'problem')}", style="red")
        return FOUND
    total = len(scripts.scripts) if scripts is not None else 0
    stdout().print(f"{counted(total, 'script')} checked: all good", style="green")
    return 0


def _read(config: Config) -> tuple[list[HeaderError], Registry | None]:
    try:
        return [], load(config.scripts)
    except ScriptsRefused as refused:
        return list(refused.problems), None


def _lint(config: Config) -> int:
    """Print what the lint rules find, and count it."""
    own = Settings.of(find_lint_config(config.root))
    folder = project.folder_name(config)
    sources = {f"{folder}/{file}": text for file, text in read_sources(config.scripts)}
    # What is wrong with headers is said already, and of all scripts together.
    found = lint_sources(sources, replace(own, ignore=(*own.ignore, BadHeader.code)))
    paint(stdout(), found)
    return len(found)


def _check_generated(config: Config, scripts: Registry) -> int:
    """Print what is not current, and count it."""
    console = stdout()
    try:
        changes = compare(config.output, render(scripts, folder=project.folder_name(config)))
    except GenerateError as error:
        lines = str(error).split("\n")
        for line in lines:
            console.print(line, style="red", markup=False)
        return len(lines)
    for change in changes:
        path = change.path.relative_to(config.root)
        console.print(f"[bold]{path}[/bold]: [red]not what the scripts give[/red]")
        console.print("  expected the output of `redislua generate`", style="dim")
    return len(changes)
