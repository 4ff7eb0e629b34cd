"""How long anybody waits while the worst cases of all scripts run at full rate.

    python -m tools.bench.hold [--seconds 2] [--write] [KIND ...]

One client makes each script's worst call again and again, as fast as replies come; its state
is put back before each, which the server does in between. A process of its own sends PINGs
meanwhile, one every half a millisecond, and notes how long each waits. The same is done
beside nothing and beside ``return 1``: on a machine with few processors that is how long a
PING waits for its turn to run. ``--write`` puts the table into RESULTS.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import redis

from redislua.budget.bench import Bench
from redislua.budget.cases import plan
from redislua.budget.sidecar import find_sidecar
from redislua.codegen.load import load_operations
from redislua.probe.slowlog import percentile
from redislua.spec.registry import load

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = "## Waiting behind the worst cases"
PAUSE = 0.0005

LEGEND = """
Written by `python -m tools.bench.hold --write`. Each script's worst case runs at full rate, its
state put back before each call, while another process sends a PING every half a millisecond.
Waits are the client's: they hold the network, and the turns that its process waits for on this
machine, which the first two lines show alone.
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """What the PINGs waited beside one script.

    Attributes:
        name: ``limit.gcra``, or what ran instead.
        calls: How many calls were made meanwhile.
        microseconds: Each wait, ascending.
    """

    name: str
    calls: int
    microseconds: tuple[int, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        shares = (percentile(self.microseconds, share) for share in (50, 99.9, 100))
        times = tuple(f"{time / 1_000:.2f}" for time in shares)
        return (self.name, f"{self.calls:,}", f"{len(self.microseconds):,}", *times)


HEADINGS = ("worst case of", "calls", "PINGs", "p50 ms", "p99.9 ms", "longest ms")


class Pings:
    """A process that PINGs one server between `start` and `stop`."""

    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_ping, args=(theirs, url), daemon=True)
        self._process.start()
        self._line.recv()

    def start(self) -> None:
        """Begin to note waits."""
        self._line.send(True)

    def stop(self) -> tuple[int, ...]:
        """Return the waits since `start` in microseconds, ascending."""
        self._line.send(False)
        waits: tuple[int, ...] = tuple(sorted(self._line.recv()))
        return waits

    def close(self) -> None:
        """End the process."""
        self._line.send(None)
        self._process.join()


def _ping(line: Connection, url: str) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.send("ready")
        while line.recv() is not None:
            waits: list[int] = []
            while not waits or not line.poll():
                began = time.perf_counter_ns()
                sock.sendall(b"PING\r\n")
                if sock.recv(64) != b"+PONG\r\n":
                    raise ConnectionError("a PING was answered with something else")
                waits.append((time.perf_counter_ns() - began) // 1_000)
                time.sleep(PAUSE)
            line.recv()
            line.send(waits)


def hold(kind: str, seconds: float) -> tuple[str, list[Waits]]:
    """Run the worst case of each script of the catalogue; return the server's version too."""
    registry = load(ROOT / "scripts")
    operations = load_operations(registry)
    found = []
    with Bench(kind) as bench:
        pings = Pings(bench.url)
        found.append(_beside_nothing(pings, seconds))
        found.append(_beside_a_constant(pings, bench.url, seconds))
        for name in registry.names:
            operation = operations[name]
            sidecar = find_sidecar(registry, operation.spec)
            planned = [
                one
                for one in plan(registry, operations, operation, sidecar)
                if one.case.kind == "size"
            ][-1]
            bench.stage(planned)
            bench.count(planned)
            pings.start()
            calls = bench.repeat(planned.call, seconds)
            found.append(Waits(name, calls, pings.stop()))
        pings.close()
        return bench.version, found


def _beside_nothing(pings: Pings, seconds: float) -> Waits:
    pings.start()
    time.sleep(seconds)
    return Waits("nothing", 0, pings.stop())


def _beside_a_constant(pings: Pings, url: str, seconds: float) -> Waits:
    with redis.Redis.from_url(url) as client:
        sha1 = client.script_load("return 1")
        ends, calls = time.monotonic() + seconds, 0
        pings.start()
        while time.monotonic() < ends:
            client.evalsha(sha1, 0)
            calls += 1
        return Waits("`return 1`", calls, pings.stop())


def section(runs: list[tuple[str, list[Waits]]]) -> str:
    """Return the section of RESULTS.md."""
    parts = [f"{TITLE}\n{LEGEND}"]
    for version, waits in runs:
        longest = max(one.microseconds[-1] for one in waits[2:]) / 1_000
        parts.append(f"\n### {version}: no PING waited longer than {longest:.2f} ms\n\n")
        parts.append(f"| {' | '.join(HEADINGS)} |\n| --- |{' --: |' * (len(HEADINGS) - 1)}\n")
        parts += [f"| {' | '.join(one.cells)} |\n" for one in waits]
    return "".join(parts)


def with_section(page: str, text: str) -> str:
    """Put the section into a page, in place of the one that is there, else at its end."""
    before, found, rest = page.partition(f"{TITLE}\n")
    if not found:
        return f"{page.rstrip()}\n\n{text}"
    _, following, after = rest.partition("\n## ")
    return before + text + (f"\n## {after}" if following else "")


def main() -> None:
    """Run, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", default=["embedded"], metavar="KIND")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    text = section([hold(kind, given.seconds) for kind in given.kinds])
    print(text)
    if given.write:
        RESULTS.write_text(with_section(RESULTS.read_text("utf-8"), text), "utf-8")


if __name__ == "__main__":
    main()
