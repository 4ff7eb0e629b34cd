"""Where the command line writes: results to stdout, everything about them to stderr.

rich respects NO_COLOR, TERM=dumb and pipes; nothing here asks twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TextIO

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from redislua.cli.wording import told
from redislua.errors import HeaderError, RedisLuaError, ScriptsRefused

Params = ParamSpec("Params")

PIPE_WIDTH = 132
"""Columns of a table that is not shown on a terminal."""

FOUND = 1
"""Exit code: the command ran and found something wrong."""
FAILED = 2
"""Exit code: the command could not run."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the verb end as the other programs of a pipe do; rich would exit with 1."""
        raise BrokenPipeError


def stdout() -> Console:
    """The console for results."""
    return _console(sys.stdout)


def stderr() -> Console:
    """The console for problems and progress."""
    return _console(sys.stderr)


def _console(stream: TextIO | None) -> Console:
    if stream is None:  # closed by whoever started us
        return Console(quiet=True)
    # Where nobody's window sets the width (a pipe, a log), tables get room enough.
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return _Console(file=stream, width=width, highlight=False, soft_wrap=True)


def report(problems: Iterable[HeaderError]) -> int:
    """Print problems to stdout, one paragraph each, and return how many there were."""
    console = stdout()
    count = 0
    for problem in problems:
        count += 1
        console.print(f"[bold]{escape(problem.place)}[/bold]: [red]{escape(problem.problem)}[/red]")
        if problem.line and problem.text:
            pad = "".join(
                "\t" if char == "\t" else " " for char in problem.text[: problem.column - 1]
            )
            console.print(Text(f"  {problem.text}"))
            console.print(Text(f"  {pad}{'^' * problem.width}", style="red"))
        console.print(f"  expected {escape(problem.expected)}", style="dim")
    return count


def counted(count: int, noun: str) -> str:
    """``1 script``, ``2 scripts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def exits(verb: Callable[Params, int]) -> Callable[Params, None]:
    """Turn a verb's return value into the exit code, and known errors into one clear text.

    0: fine. 1: ran and found something. 2: could not run.
    """

    @wraps(verb)
    def run(*args: Params.args, **kwargs: Params.kwargs) -> None:
        try:
            code = verb(*args, **kwargs)
        except ScriptsRefused as refused:
            count = report(refused.problems)
            stderr().print(f"{counted(count, 'problem')} in the scripts", style="red")
            code = FOUND
        except (RedisLuaError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            stderr().print(f"[red]error:[/red] {escape(told(error))}")
            code = FAILED
        raise click.exceptions.Exit(code)

    return run
