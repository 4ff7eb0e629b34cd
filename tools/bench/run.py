"""A run: the servers it needs, and its sections in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from redislua import server as servers
from redislua.bindings import limit

from . import figures, linting, sections
from .boards import boards
from .contest import Arena, Pace
from .crowd import crowd
from .guarantees import guarantees
from .holding import holding
from .measured import Report
from .stampedes import stampedes
from .watched import Watched
from .workload import BURST, CLUSTER_SUBJECTS, LIMIT, PERIOD_US, SUBJECTS, Argument, Target

SINGLE: dict[str, Callable[[Arena], None]] = {
    "one": sections.one,
    "asyncio": sections.asyncio,
    "threads": sections.threads,
    "limits": sections.limits,
}
"""Sections on one server."""

SECTIONS = (
    *SINGLE,
    "cluster",
    "memory",
    "guarantees",
    "locks",
    "caches",
    "boards",
    "crowd",
    "lint",
)
"""All sections, in printing order."""


def measure(
    names: Sequence[str],
    pace: Pace,
    report: Report,
    say: Callable[[str], None],
    *,
    callers: int | None = None,
) -> None:
    """Run the named sections and fill the report.

    Args:
        names: Of `SECTIONS`.
        pace: How long to measure.
        report: Filled as results come.
        say: Called with a line before each contest.
        callers: Hold contests of that many callers alone.

    Raises:
        ServerUnavailable: The embedded server cannot be had.
    """
    with servers.start() as server:
        report.versions.append(f"{server.version} (embedded, loopback TCP)")
        place = urlsplit(server.url)
        assert place.hostname is not None
        assert place.port is not None
        with arena([(place.hostname, place.port)], pace, report, say, SUBJECTS, callers) as one:
            for name in names:
                if name in SINGLE:
                    SINGLE[name](one)
            if "memory" in names:
                say("memory of idle clients; cost of building and decoding")
                report.figures += figures.cost() + figures.memory(one.target)
    if "guarantees" in names:
        say("guarantees: limiters that promise the same, by instructions and bytes")
        report.figures += guarantees()
    for name, beside in (("locks", holding), ("caches", stampedes)):
        if name in names:
            say(f"{name} beside their peers")
            with servers.start() as server:
                report.figures += beside(server.url)
    if "boards" in names:
        say("boards: ten thousand players and a million")
        with servers.start() as server:
            report.figures += boards(server.url, rounds=pace.rounds)
    if "crowd" in names:
        say("crowd: each operation that is not to grow, among ten keys and a million")
        report.figures += crowd()
    if "lint" in names:
        say("lint: a thousand scripts")
        report.figures += linting.linting()
    if "cluster" in names:
        with (
            servers.start_cluster("embedded", primaries=3, replicas=0) as cluster,
            arena(cluster.addresses, pace, report, say, CLUSTER_SUBJECTS, callers) as three,
        ):
            sections.cluster(three)


@contextmanager
def arena(
    addresses: Sequence[tuple[str, int]],
    pace: Pace,
    report: Report,
    say: Callable[[str], None],
    subjects: int,
    callers: int | None = None,
) -> Iterator[Arena]:
    """Yield an arena on these servers, the script in the cache of each."""
    target = _target(*addresses[0])
    with closing(Watched(addresses)) as watched:
        watched.load(target.source)
        yield Arena(watched, target, pace, report, say, subjects=subjects, callers=callers)


def _target(host: str, port: int) -> Target:
    """Return what everybody calls, taken from a call that the bindings made."""
    mark = "SUBJECT"
    call: Any = limit.gcra(subject=mark, limit=LIMIT, period=PERIOD_US, burst=BURST)
    before, after = call.keys[0].decode().split(mark)
    args: list[Argument] = [int(one) if one.isdigit() else one.decode() for one in call.args]
    target = Target(host, port, call.script.source.decode(), before, after, tuple(args), 1)
    assert target.sha1 == call.script.sha1
    return target
