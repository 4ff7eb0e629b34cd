"""The verbs by name: one file each, imported when it is called."""

from __future__ import annotations

import difflib
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
    "budget": "Prove that no script can hold the server: counts, growth, measured times.",
    "trace": "Show each line of a script as it ran, with its commands and times.",
    "debug": "Step through a script in the server's own debugger.",
    "server": "Run a server in the foreground.",
    "doctor": "Look at a running server, and say what is wrong with it and what to do.",
    "monitor": "Watch hit rate, evictions, memory and the slowest scripts of running servers.",
    "slots": "Show where keys fall on a cluster, how evenly, and which stay together.",
    "bench": "Measure a server's latencies beside those that are commonly expected.",
    "demo": "Run everything once, under load, and show what came out.",
}


class ReaderGone(Exception):
    """Whoever read our output stopped: click makes exit code 1, "found something", of that."""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"did you mean {near[0]}?" if near else "`redislua --help` lists all verbs"
            ctx.fail(f"no verb is called {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:
            raise ReaderGone from gone

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
