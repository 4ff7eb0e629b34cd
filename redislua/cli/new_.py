"""``redislua new``."""

from __future__ import annotations

import click

from redislua.cli import project
from redislua.cli.console import exits, stdout
from redislua.codegen.scaffold import new


@click.command("new")
@click.argument("name", metavar="FAMILY/NAME")
@click.option("--next-major", is_flag=True, help="Copy the newest version as the next major.")
@exits
def command(name: str, next_major: bool) -> int:
    """Write the skeleton of a script, with a header that is valid as it stands.

    \b
    Examples:
      redislua new orders/claim
      redislua new orders/claim --next-major    # v2 beside v1, both callable
    """
    config = project.config()
    path = new(config, name, next_major=next_major)
    stdout().print(f"wrote {path.relative_to(config.root)}")
    return 0
