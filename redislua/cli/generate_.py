"""``redislua generate``."""

from __future__ import annotations

import click
from rich.syntax import Syntax

from redislua.cli import project
from redislua.cli.console import FOUND, counted, exits, stderr, stdout
from redislua.codegen.render import render
from redislua.codegen.write import apply, compare, diff


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when something would change.")
@click.option("--diff", "show", is_flag=True, help="Like --check, and print the difference.")
@exits
def command(check: bool, show: bool) -> int:
    """Write one typed Python module per family into the output folder.

    Files are written whole or not at all, only over files that carry our marker, and
    never outside the output folder. Modules of families that are gone are removed.

    \b
    Examples:
      redislua generate
      redislua generate --check    # for CI
      redislua generate --diff
    """
    config, scripts = project.registry()
    changes = compare(config.output, render(scripts, folder=project.folder_name(config)))
    console = stdout()
    if check or show:
        for change in changes:
            if show:
                text = diff(change, config.root)
                if console.is_terminal:
                    console.print(Syntax(text, "diff", theme="ansi_light"))
                else:
                    click.echo(text, nl=False)
        if changes:
            stderr().print(
                f"{counted(len(changes), 'file')} not current; run `redislua generate`", style="red"
            )
        return FOUND if changes else 0
    apply(config.output, changes)
    for change in changes:
        console.print(f"{change.verb}d {change.path.relative_to(config.root)}")
    current = len(scripts.families) + 1 - sum(change.new is not None for change in changes)
    if current:
        console.print(f"{counted(current, 'file')} current already", style="dim")
    return 0
