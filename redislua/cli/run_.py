"""``redislua run``."""

from __future__ import annotations

import contextlib
from typing import Any

import click
import redis
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import FOUND, exits, stderr, stdout
from redislua.cli.servers import server_option
from redislua.codegen.load import Operation, load_operations
from redislua.errors import CallError, ConfigError, ExampleError, InvalidArgument, ScriptError
from redislua.probe.describe import reply_text
from redislua.runtime import Call, run
from redislua.server import start
from redislua.spec.typing import from_shell


@click.command("run")
@click.argument("name", metavar="FAMILY.NAME")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--url", metavar="URL", help="A running server, as redis://user:password@host:6379/0."
)
@server_option
@click.option("--namespace", default="", metavar="NAME", help="Put before every key.")
@click.option("--deadline", default=2.0, show_default=True, help="Seconds.")
@exits
def command(
    name: str, words: tuple[str, ...], url: str | None, kind: str, namespace: str, deadline: float
) -> int:
    """Call a script, of the project or of redislua's own catalogue, and print its typed reply.

    Without --url the call goes to a server of its own, which is empty and gone afterwards.
    `redislua server` runs one that stays.

    Durations are written 500ms, 10s, 2h; lists [a b]; rows [(a, 1) (b, 2)]; bytes b'\\x00'.

    \b
    Examples:
      redislua run limit.gcra subject=user:42 limit=5 period=1s burst=5
      redislua run cache.read key=user:1 --url redis://localhost:6379/0

    Exits 1 when the script answers with an error, 2 when the call could not be made.
    """
    scripts, _ = project.find(name)
    operation = load_operations(scripts)[name]
    arguments = {**from_shell(operation.spec, words), "namespace": namespace}
    call = _call(operation, arguments, words)
    with contextlib.ExitStack() as stack:
        place = url or stack.enter_context(start(kind)).url
        return _run(operation, call, place, deadline)


def _call(operation: Operation, arguments: dict[str, Any], words: tuple[str, ...]) -> Call[Any]:
    """Make the call; what does not fit is named as it was typed, not as Python has it."""
    try:
        return operation.call(arguments)
    except InvalidArgument as error:
        typed = [word for word in words if word.startswith(f"{error.parameter}=")]
        shown = typed[0] if typed else f"{error.parameter}={error.value!r}"
        raise ExampleError(f"{error.script}: {shown}: expected {error.expected}") from error


def _run(operation: Operation, call: Call[Any], url: str, deadline: float) -> int:
    try:
        client = redis.Redis.from_url(url)
    except ValueError as error:
        raise ConfigError(f"--url {url!r}: {error}") from error
    with client:
        try:
            reply = run(client, call, deadline=deadline)
        except ScriptError as error:
            stderr().print(f"[red]{type(error).__name__}:[/red] {escape(str(error))}")
            return FOUND
        except CallError as error:
            raise ConfigError(f"{type(error).__name__}: {error}") from error
    text = reply_text(operation.spec, operation.variant_name(reply), reply)
    stdout().print(text, markup=False)
    return 0
