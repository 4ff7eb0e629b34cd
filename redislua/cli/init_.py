"""``redislua init``."""

from __future__ import annotations

from pathlib import Path

import click

from redislua.cli.console import exits, stdout
from redislua.codegen.scaffold import init


@click.command("init")
@exits
def command() -> int:
    """Set up this folder's project: a [tool.redislua] table and one commented example script.

    Nothing that exists is overwritten.

    \b
    Example:
      redislua init
    """
    root = Path.cwd()
    for path in init(root):
        stdout().print(f"wrote {path.relative_to(root)}")
    stdout().print("next: redislua generate && redislua check && redislua test", style="dim")
    return 0
