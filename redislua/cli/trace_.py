"""``redislua trace``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import click
import redis
from rich.text import Text

from redislua.cli.console import FOUND, exits, stderr, stdout
from redislua.cli.scene import Scene, Setting, scene, setup_option
from redislua.cli.servers import server_option
from redislua.errors import CallError, ConfigError, ScriptError
from redislua.probe.debug_session import answer
from redislua.probe.debug_timing import Times, measure
from redislua.probe.debug_trace import Row, Trace, folded, trace, unfolded
from redislua.probe.debugger import LIMIT, Command, outcome
from redislua.probe.describe import reply_text
from redislua.probe.snapshot import Snapshot, snapshot

LONGEST = 160
"""Characters that are shown of a command or a reply, but for --all and --json."""

LEAST = 0.1
"""Microseconds below which the means of some dozen runs say nothing."""

EVERY = 500
"""Lines between two counts on a terminal."""


@click.command("trace")
@click.argument("name", metavar="FAMILY.NAME")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every line as it ran: no folding, no cuts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, every line as it ran.")
@setup_option
@click.option("--url", metavar="URL", help="A running server; its data stay as they are.")
@server_option
@click.option("--namespace", default="", metavar="NAME", help="Put before every key.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Lines after which a script is taken never to end, and aborted.",
)
@exits
def command(
    name: str,
    words: tuple[str, ...],
    every: bool,
    as_json: bool,
    setup: tuple[str, ...],
    url: str | None,
    kind: str,
    namespace: str,
    limit: int,
) -> int:
    """Show each line of a script as it ran, with its commands, their replies and times.

    The script runs under the server's own debugger, on a server of its own; --setup brings
    that into a state first. Lines that repeat are shown once, with the number of their runs.

    Times are the server's own, of the same call on the same data without the debugger: of
    the whole call, and of each command. Lua has what is left; a line alone has no time.

    With --url the script runs in a fork of that server, which serves others meanwhile and
    keeps its data. Then there are no times, since they take more than one run.

    \b
    Examples:
      redislua trace limit.gcra subject=u limit=5 period=1s burst=5
      redislua trace limit.gcra subject=u limit=5 period=1s burst=1 \\
          --setup 'limit.gcra subject=u limit=5 period=1s burst=1'
      redislua trace cache.read key=user:1 --url redis://localhost:6379/0

    Exits 1 when the script answers with an error or does not end, 2 when it could not run.
    """
    on = Setting(kind, url, namespace, setup)
    with scene(name, words, on) as at:
        state = _state(at)
        with _counting() as on_line:
            traced = trace(at.url, at.call, forked=not at.is_ours, limit=limit, on_line=on_line)
        times = None
        if state is not None and traced.end is not None:
            times = measure(at.url, at.call, state, traced.commands)
        if times is not None:
            traced = traced.timed(times.commands)
        text, error, failed = _result(at, traced, limit)
    if as_json:
        click.echo(json.dumps(_document(at, traced, times, text, error), indent=2))
    else:
        _print(at, unfolded(traced.steps) if every else folded(traced.steps), cut=not every)
        _print_times(at, traced, times)
        if text:
            stdout().print(f"\n{text}", markup=False)
    if error and not as_json:
        stderr().print(Text(error, style="red"))
    return FOUND if failed else 0


def _state(at: Scene) -> Snapshot | None:
    """What the call runs on, where it can be put back: on a server of our own."""
    if not at.is_ours:
        return None
    with redis.Redis.from_url(at.url) as client:
        return snapshot(client)


@contextlib.contextmanager
def _counting() -> Iterator[Any]:
    """Count lines on a terminal, for scripts that run many."""
    with stderr().status("") as status:

        def on_line(lines: int) -> None:
            if lines % EVERY == 0 and lines:
                status.update(f"{lines} lines")

        yield on_line


def _result(at: Scene, traced: Trace, limit: int) -> tuple[str, str, bool]:
    """The reply as text, or the error, and whether it counts as a failure."""
    if traced.end is None:
        return "", f"the script had not ended after {limit} lines, and was aborted", True
    try:
        reply = outcome(at.call, traced.end)
    except ScriptError as error:
        return "", f"{type(error).__name__}: {error}", True
    except CallError as error:
        raise ConfigError(f"{type(error).__name__}: {error}") from error
    return reply_text(at.operation.spec, at.operation.variant_name(reply), reply), "", False


def _print(at: Scene, rows: list[Row], *, cut: bool) -> None:
    console = stdout()
    where = "in a fork of its process" if not at.is_ours else "on a server of its own"
    console.print(Text(f"{at.call.script} on {at.version}, {where}", style="bold"))
    console.print(Text(f"{at.operation.spec.file}", style="dim"))
    console.print(Text(f"\n{'line':>5}{'runs':>7}{'us':>8}", style="dim"))
    for row in rows:
        step = row.steps[0]
        runs = f"x {row.times}" if row.times > 1 else ""
        console.print(
            Text.assemble(
                (f"{step.number:>5}", "cyan"), (f"{runs:>7}", "yellow"), f"{'':>10}{step.text}"
            )
        )
        indent = len(step.text) - len(step.text.lstrip())
        for line in _called(row, indent, cut=cut):
            console.print(line)


def _called(row: Row, indent: int, *, cut: bool) -> Iterator[Text]:
    """The commands of a row, one line for each name; what Lua said."""
    for calls in row.commands:
        first = calls[0]
        runs = f"x {len(calls)}" if len(calls) > 1 else ""
        style = "red" if first.error else "green"
        text = f"{_cut(first.text, cut)} {_cut(answer(first), cut)}"
        if answer(calls[-1]) != answer(first):
            text += f" … {_cut(answer(calls[-1]), cut)}"
        yield Text.assemble(
            f"{'':>5}",
            (f"{runs:>7}", "yellow"),
            f"{_us(calls):>8}{'':>{indent + 4}}",
            (text, style),
        )
    for said in dict.fromkeys(line for step in row.steps for line in step.said):
        yield Text(f"{'':>{indent + 24}}{_cut(said, cut)}", style="magenta")


def _us(calls: tuple[Command, ...]) -> str:
    timed = [one.us for one in calls if one.us is not None]
    if not timed:
        return "-"
    return f"{sum(timed):.1f}" if sum(timed) >= LEAST else f"<{LEAST}"


def _cut(text: str, cut: bool) -> str:
    if not cut or len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({len(text)} characters)"


def _print_times(at: Scene, traced: Trace, times: Times | None) -> None:
    console = stdout()
    console.print()
    if times is None:
        console.print(Text(_why_no_times(at, traced), style="dim"))
        return
    console.print(
        f"{times.call:>9.1f} us  the whole call; the fastest {times.least}, the slowest {times.most}"
    )
    inner = times.in_commands
    count = len(traced.commands)
    if inner is None:
        note = f"{at.version} does not time the commands inside scripts"
        console.print(f"{'-':>9}     {count} commands ({note})", markup=False)
    else:
        console.print(f"{inner:>9.1f} us  {count} commands")
        console.print(
            f"{times.call - inner:>9.1f} us  Lua, and passing values to and from commands"
        )
    console.print(
        Text(
            "The server's own time (SLOWLOG) without the debugger: means of "
            f"{times.runs} runs of this call on the same data. Lines have no time of their own.",
            style="dim",
        )
    )


def _why_no_times(at: Scene, traced: Trace) -> str:
    if not at.is_ours:
        return "No times: they take several runs, and the server of --url is left as it is."
    if traced.end is None:
        return "No times: the script did not end."
    return "No times: without the debugger the call took another way, since time had passed."


def _document(
    at: Scene, traced: Trace, times: Times | None, reply: str, error: str
) -> dict[str, Any]:
    script = at.call.script
    return {
        "script": script.name,
        "version": script.version,
        "file": script.file,
        "sha1": script.sha1,
        "server": at.version,
        "keys": [key.decode("utf-8", "backslashreplace") for key in at.call.keys],
        "args": [arg.decode("utf-8", "backslashreplace") for arg in at.call.args],
        "steps": [
            {
                "line": step.number,
                "text": step.text,
                "commands": [
                    {"text": one.text, "reply": one.reply, "error": one.error or None, "us": one.us}
                    for one in step.commands
                ],
                "said": list(step.said),
            }
            for step in traced.steps
        ],
        "us": None if times is None else _figures(times),
        "reply": reply or None,
        "error": error or None,
    }


def _figures(times: Times) -> dict[str, Any]:
    inner = times.in_commands
    return {
        "call": times.call,
        "commands": inner,
        "lua": None if inner is None else times.call - inner,
        "least": times.least,
        "most": times.most,
        "runs": times.runs,
    }
