"""``redislua list``."""

from __future__ import annotations

import json

import click
from rich.table import Table

from redislua.cli import project
from redislua.cli.console import exits, stdout


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, one object per script.")
@exits
def command(as_json: bool) -> int:
    """List the scripts: name, version, what a resend does, replies, purpose.

    Outside a project, redislua's own catalogue.

    \b
    Examples:
      redislua list
      redislua list --json | jq -r '.[].sha1'
    """
    scripts = project.scripts()
    if as_json:
        rows = [
            {
                "name": name,
                "version": script.version,
                "file": script.file,
                "sha1": script.sha1,
                "retry": script.retry,
                "read_only": script.read_only,
                "variants": [variant.name for variant in script.variants],
                "summary": script.summary,
            }
            for name, script in zip(scripts.names, scripts.scripts, strict=True)
        ]
        click.echo(json.dumps(rows, indent=2))
        return 0
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("script", "version", "retry", "replies"):
        table.add_column(heading, no_wrap=heading != "replies")
    table.add_column("what it does")
    for name, script in zip(scripts.names, scripts.scripts, strict=True):
        replies = " ".join(variant.name for variant in script.variants) or str(script.bare)
        table.add_row(name, script.version, script.retry, replies, script.summary)
    console.print(table, soft_wrap=False)
    return 0
