"""``redislua monitor``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import click

from redislua.cli import project
from redislua.cli.connecting import opened
from redislua.cli.console import FOUND, exits
from redislua.cli.monitor_output import Screen
from redislua.inspect.monitor import Monitor, Round, described
from redislua.inspect.slow import Names
from redislua.runtime.watching.alarms import Thresholds


@click.command("monitor")
@click.argument("url")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="Seconds between two rounds: the length of a window.",
)
@click.option("--once", is_flag=True, help="One window, then end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a window, one a line.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many slow scripts to show.",
)
@click.option(
    "--hit-rate",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Alarm below this share of look-ups that find a key.",
)
@click.option(
    "--least-lookups",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="A window with fewer look-ups says nothing of the hit rate.",
)
@click.option(
    "--memory",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="Alarm from this share of memory on, where nothing is evicted.",
)
@exits
def command(
    url: str,
    interval: float,
    once: bool,
    as_json: bool,
    top: int,
    hit_rate: float,
    least_lookups: int,
    memory: float,
) -> int:
    """Watch hit rate, evictions, memory and the slowest scripts, of every node of a cluster.

    Rates are of the window between two rounds, never since the server's start; a server that
    nobody asks has no hit rate and gives no alarm. A restart or a CONFIG RESETSTAT begins a
    new window. Look-ups of scripts count too: a limiter or a lock without state is a miss.

    The slowest scripts are those in SLOWLOG, by name: of the project and of the catalogue by
    digest or text, others by digest or their first line. SLOWLOG keeps what takes longer than
    slowlog-log-slower-than, 10 ms unless set; `CONFIG SET slowlog-log-slower-than 1000` shows
    what takes more than 1 ms. Nothing is changed on the servers. A server that does not
    answer is shown as such and asked again. Ctrl-C ends it.

    URL is redis://user:password@host:6379/0, with TLS rediss://, or unix:///path, or
    redis+cluster://host,host, or redis+sentinel://host/name.

    \b
    Examples:
      redislua monitor redis://localhost:6379
      redislua monitor redis+cluster://n1:6379,n2:6379 --interval 10
      redislua monitor redis://cache:6379 --once --json | jq '.nodes[].window.hit_rate'

    With --once, exits 1 on an alarm. Exits 2 when no server answers.
    """
    thresholds = Thresholds(hit_rate=hit_rate, least_lookups=least_lookups, memory=memory)
    found: Round | None = None
    with opened(url) as clients, Screen(is_quiet=as_json) as screen:
        monitor = Monitor(clients, _names(), thresholds, top)
        try:
            for found in _rounds(monitor, interval, once=once, screen=screen):
                if as_json:
                    click.echo(json.dumps(described(found)))
                else:
                    screen.show(found)
        except KeyboardInterrupt:
            if once:
                raise
            return 0
    return FOUND if once and found is not None and found.alarms else 0


def _rounds(monitor: Monitor, interval: float, *, once: bool, screen: Screen) -> Iterator[Round]:
    """The rounds after the first, which is where the first window begins."""
    first = monitor.look()
    if first.error is not None:
        raise first.error
    screen.begin(first)
    while True:
        time.sleep(interval)
        found = monitor.look()
        if once and found.error is not None:
            raise found.error
        yield found
        if once:
            return


def _names() -> Names:
    """Scripts of the project, then of the catalogue."""
    registries = (project.own(), project.catalogue())
    return Names(script for one in registries if one is not None for script in one.scripts)
