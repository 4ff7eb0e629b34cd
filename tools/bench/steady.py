"""Does the measured verdict hold on a loaded machine?

    python -m tools.bench.steady [--runs 50] [--busy 1] [KIND]

A script that takes a third of the limit, and the same script slowed tenfold, are measured
again and again while other processes keep processors busy. Printed is how often each was
judged wrongly: the first must never fail, the second never pass.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import multiprocessing
import time
from collections.abc import Iterator

import redis

from redislua.budget.bench import Bench
from redislua.budget.cases import Planned
from redislua.budget.judge import is_too_slow
from redislua.budget.measure import measure
from redislua.budget.model import Case, Measured
from redislua.budget.settings import Settings
from redislua.runtime.call import Call, Script

ROUNDS = 12_000
"""Of an empty loop with some arithmetic: about a third of a millisecond."""

SLOWER = 10
SOURCE = b"""#!lua
local sum = redis.call('EXISTS', KEYS[1])
for round = 1, tonumber(ARGV[1]) do
  sum = (sum * 31 + round) % 65521
end
return sum
"""
SCRIPT = Script(
    name="bench.loop",
    version="1.0.0",
    file="bench/loop.v1.lua",
    sha1=hashlib.sha1(SOURCE, usedforsecurity=False).hexdigest(),
    source=SOURCE,
    read_only=False,
    retry="never",
    errors={},
)


def looping(rounds: int) -> Planned:
    """A case that goes round so many times."""
    call = Call(SCRIPT, (b"{bench}",), (b"%d" % rounds,), decode=int)
    return Planned(Case(f"{rounds} rounds", "size", rounds, ()), call, _empty)


def _empty(_: redis.Redis) -> None:
    """No state: the script looks at a key that is not there."""


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many processors busy for one block."""
    context = multiprocessing.get_context("spawn")
    spinning = [context.Process(target=_spin, daemon=True) for _ in range(processes)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.terminate()
            process.join()


def _spin() -> None:
    """Spin as long as whoever started this lives, in whatever way it ends."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive():
        for _ in range(1_000_000):
            pass


def judge(bench: Bench, rounds: int, settings: Settings) -> tuple[Measured, bool]:
    """Measure one case; return what was measured, and whether it is too slow."""
    planned = looping(rounds)
    bench.stage(planned)
    measured = measure(bench, planned, bench.count(planned), settings)
    return measured, is_too_slow(measured, settings.limit_us, settings.hard_us)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", nargs="?", default="embedded", metavar="KIND")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--busy", type=int, default=1)
    given = parser.parse_args()
    settings = Settings()
    began = time.monotonic()
    with Bench(given.kind) as bench, busy(given.busy):
        for rounds, wanted in ((ROUNDS, False), (ROUNDS * SLOWER, True)):
            wrong, figures, most = 0, [], 0
            for _ in range(given.runs):
                measured, is_slow = judge(bench, rounds, settings)
                wrong += is_slow != wanted
                figures.append(measured.judged_p999)
                most = max(most, measured.rounds)
            print(
                f"{bench.version}, {given.busy} busy: {rounds} rounds, wrong {wrong} of {given.runs}; "
                f"p99.9 by the calibration {min(figures):.0f} to {max(figures):.0f} us, "
                f"up to {most} rounds"
            )
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
