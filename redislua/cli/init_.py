"""``redislua init``."""

from __future__ import annotations

from pathlib import Path

import click

from redislua.cli.console import exits, stdout
from redislua.codegen.editor import write_editor
from redislua.codegen.scaffold import init
from redislua.spec.config import find_lint_config
from redislua.syntax.targets import DEFAULT, Targets


@click.command("init")
@click.option(
    "--editor",
    is_flag=True,
    help="In a project that is set up: write what LuaLS and luacheck need to know of Redis.",
)
@exits
def command(*, editor: bool) -> int:
    """Set up this folder's project: a [tool.redislua] table and one commented example script.

    Nothing that exists is overwritten.

    With --editor: definitions for LuaLS, so that an editor completes redis.call('ZADD', ...)
    and knows what it replies; .luarc.json; and .luacheckrc. They are made from the command
    table of the project's targets; run it again after changing these.

    \b
    Examples:
      redislua init
      redislua init --editor
    """
    if editor:
        config = find_lint_config(Path.cwd())
        targets = Targets.parse(config.targets) if config.targets else DEFAULT
        for path in write_editor(config.root, targets):
            stdout().print(f"wrote {path.relative_to(config.root)}")
        return 0
    root = Path.cwd()
    for path in init(root):
        stdout().print(f"wrote {path.relative_to(root)}")
    stdout().print("next: redislua generate && redislua check && redislua test", style="dim")
    return 0
