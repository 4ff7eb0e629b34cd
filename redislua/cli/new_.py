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

    With --next-major the plain name will mean the new version, and the old one is called
    name_v1: both stay callable.

    \b
    Examples:
      redislua new orders/claim
      redislua new orders/claim --next-major    # v2 beside v1, both callable
    """
    config = project.config()
    path = new(config, name, next_major=next_major)
    stdout().print(f"wrote {path.relative_to(config.root)}")
    if next_major:
        family, _, script = name.partition("/")
        major = int(path.name.split(".")[1].removeprefix("v"))
        stdout().print(
            f"once generated, {family}.{script} is version {major}; "
            f"callers of version {major - 1} find it as {family}.{script}_v{major - 1}",
            style="dim",
        )
    return 0
