"""``redislua server``."""

from __future__ import annotations

import signal
import threading

import click

from redislua.cli.console import exits, stderr
from redislua.server import start


@click.command("server")
@click.argument("kind", default="embedded")
@click.option("--unix", is_flag=True, help="Listen on a Unix socket instead of a loopback port.")
@exits
def command(kind: str, unix: bool) -> int:
    """Run a server in the foreground, print its URL, and stop it on Ctrl-C.

    KIND is embedded, binary:/path/to/redis-server, or container:redis:8.2.

    \b
    Examples:
      redislua server
      redislua server container:redis:8.2
      redislua server > url &    # then: redislua run NAME key=value ... --url "$(cat url)"
      kill $!                    # and, in a script, stop it
    """
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with start(kind, unix_socket=unix) as server:
        click.echo(server.url)
        stderr().print(f"{server.version}; Ctrl-C stops it", style="dim")
        done.wait()
    return 0
