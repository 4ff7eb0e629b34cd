"""``redislua debug``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable

import click

from redislua.cli.console import FOUND, exits, stderr, stdout
from redislua.cli.scene import Scene, Setting, scene, setup_option
from redislua.cli.servers import server_option
from redislua.errors import CallError, ConfigError, ScriptError
from redislua.probe.debug_session import Session
from redislua.probe.debugger import Debugger, outcome
from redislua.probe.describe import reply_text

PROMPT = "(debug) "


@click.command("debug")
@click.argument("name", metavar="FAMILY.NAME")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@setup_option
@click.option("--url", metavar="URL", help="A running server; its data stay as they are.")
@server_option
@click.option("--namespace", default="", metavar="NAME", help="Put before every key.")
@exits
def command(
    name: str,
    words: tuple[str, ...],
    setup: tuple[str, ...],
    url: str | None,
    kind: str,
    namespace: str,
) -> int:
    """Run a script line by line, on the server's own debugger.

    The session stops at the first line. step, next, continue, break LINE, print LOCAL,
    redis CMD and help are understood, by their first letters too; Enter repeats, Ctrl-D
    leaves. Commands are read from a terminal, or from a pipe.

    Without --url the script runs on a server of its own, which it has for itself. With
    --url it runs in a fork of that server: others are served meanwhile, and what the script
    writes is gone at the end.

    \b
    Examples:
      redislua debug limit.gcra subject=u limit=5 period=1s burst=5
      redislua debug limit.gcra subject=u limit=5 period=1s burst=1 \\
          --setup 'limit.gcra subject=u limit=5 period=1s burst=1'
      printf 'break 128\\ncontinue\\nprint\\n' | redislua debug limit.gcra subject=u ...

    Exits 1 when the script ends with an error, 2 when it could not run.
    """
    on = Setting(kind, url, namespace, setup)
    with scene(name, words, on) as at, Debugger(at.url, at.call, forked=url is not None) as it:
        stderr().print(f"{at.call.script} on {at.version}; help lists the commands", style="dim")
        try:
            _talk(Session(it))
        except KeyboardInterrupt:
            _say([""])
        if it.end is None:
            stderr().print("the script was aborted where it stood", style="dim")
            return 0
        return _conclude(at, it)


def _talk(session: Session) -> None:
    _say(session.here())
    while not session.is_over:
        try:
            line = _ask()
        except EOFError:
            _say([""])
            return
        _say(session.do(line))


def _ask() -> str:
    """Read a line; from a pipe it is shown behind the prompt, as on a terminal."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  # input() edits lines and knows the past with it
        return input(PROMPT)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    _say([f"{PROMPT}{line.rstrip()}"])
    return line


def _say(lines: Iterable[str]) -> None:
    console = stdout()
    for line in lines:
        style = "bold" if line.startswith("->") else None
        console.print(line, style=style, markup=False)


def _conclude(at: Scene, debugger: Debugger) -> int:
    """Show how the script ended."""
    if debugger.end is None:
        raise ValueError("the script has not ended")
    try:
        reply = outcome(at.call, debugger.end)
    except ScriptError as error:
        stderr().print(f"{type(error).__name__}: {error}", style="red", markup=False)
        return FOUND
    except CallError as error:
        raise ConfigError(f"{type(error).__name__}: {error}") from error
    text = reply_text(at.operation.spec, at.operation.variant_name(reply), reply)
    stdout().print(text, markup=False)
    return 0
