"""The verbs by name: one file each, imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from redislua import __version__

VERBS = {
    "init": "Set up a project: the pyproject table and a first script.",
    "new": "Write the skeleton of a script.",
    "check": "Check headers, slots, syntax and that generated code is current.",
    "lint": "Find what breaks in Redis Lua, in your scripts or in any others.",
    "explain": "Show what a lint rule finds, why, and what to do instead.",
    "generate": "Write the typed Python bindings.",
    "list": "List the scripts.",
    "show": "Show one script: signature, replies, keys, text, sha1.",
    "run": "Call a script from the shell.",
    "test": "Run every @example on a real server, each call confined.",
    "server": "Run a server in the foreground.",
    "demo": "Run everything once, under load, and show what came out.",
}


class _Verbs(click.Group):
    """Knows every verb by name; imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"redislua.cli.{cmd_name}_")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="redislua")
def group(**_: Any) -> None:
    """Typed Python calls from versioned Lua files, for Redis and Valkey.

    \b
    Start in your project's folder:
      redislua init
      redislua new orders/claim
      redislua generate && redislua check && redislua test

    Exit codes: 0 fine, 1 something is wrong with the scripts, 2 could not run.
    """
