"""Measure redislua beside everything else that can call a script.

One private server on loopback serves all contenders. Each has a process of its own; rounds are
interleaved and shuffled, and a ratio is the median over the rounds of two contenders' rates in
the same round. The server is asked after each round how many scripts it ran and how many
failed: whoever answers wrongly is out, with the reason.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from . import goals, table
from .contest import Pace
from .measured import Report
from .page import page
from .run import SECTIONS, measure

OUTPUT = Path(__file__).with_name("RESULTS.md")
FULL = Pace(rounds=9, seconds=0.5)
QUICK = Pace(rounds=5, seconds=0.2)
LEAST = 5
PIPE_COLUMNS = 160
BUSY = 0.15
"""Share of the machine, used by others, from which ratios are not to be trusted."""

EXAMPLES = """\
examples:
  python -m tools.bench                               everything, and write RESULTS.md
  python -m tools.bench --only asyncio --quick        while tuning: under a minute, nothing written
  python -m tools.bench --only asyncio --callers 50 --quick --realtime
  python -m tools.bench --only one,threads --rounds 15

sections:
  one       one blocking and one asyncio caller, client and server pinned to one processor
  asyncio   1, 10, 50 and 200 asyncio callers; redis-py, coredis, valkey-glide, redis-benchmark
  threads   1, 2, 4, 16 and 64 threads; redis-py
  limits    the same decision through throttled-py, pyrate-limiter and limits
  cluster   three nodes, 10 000 keys, single calls and batches of 100; redis-py
  memory    idle clients, and what building and decoding costs in Python
  guarantees  limiters that promise the same: server instructions (valgrind) and bytes
  locks     pairs and hand-over among 20 waiters; redis-py, python-redis-lock
  caches    hits, and stampedes of 200 callers; cashews, aiocache
  boards    a leaderboard of a million players beside one of ten thousand
  crowd     calls among ten keys and among a million: commands, server instructions (valgrind)
  lint      a thousand scripts, cold and unchanged; luacheck

An environment with the peers in it: pip install -e '.[server]' -r tools/bench/requirements.txt
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections asked for; 0 whatever was measured."""
    options = _options().parse_args(arguments)
    pace = QUICK if options.quick else FULL
    pace = Pace(options.rounds or pace.rounds, options.seconds or pace.seconds)
    if options.realtime:
        # All that we start has it too. Niceness would not do: with autogroups it counts only
        # among the processes of one session, and the servers have their own.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    progress = Console(stderr=True)
    report = Report()
    measure(
        options.only,
        pace,
        report,
        lambda line: progress.print(line, highlight=False, markup=False),
        callers=options.callers,
    )
    _show(report)
    share = statistics.median(report.strangers) if report.strangers else 0.0
    if share > BUSY:
        progress.print(f"{share:.0%} of this machine went to other processes: measure again.")
    output = options.output
    is_full = options.only == list(SECTIONS) and options.callers is None
    if output is None and is_full and not options.quick:
        output = OUTPUT
    if output is not None:
        output.write_text(page(report, pace), encoding="utf-8")
        progress.print(f"wrote {output}", highlight=False)
    return 0


def _show(report: Report) -> None:
    """Print every table; into a pipe as wide as it needs to be."""
    out = Console() if sys.stdout.isatty() else Console(width=PIPE_COLUMNS)
    for contest in report.contests:
        out.print(table.of_contest(contest).rich())
    if report.figures:
        out.print(table.of_figures(report.figures).rich())
    out.print(goals.sheet(report).rich())


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        type=_sections,
        default=list(SECTIONS),
        metavar="SECTION,…",
        help="measure these sections alone (default: all)",
    )
    parser.add_argument(
        "--callers",
        type=int,
        metavar="N",
        help="of these sections, what has that many tasks or threads alone",
    )
    parser.add_argument(
        "--rounds",
        type=_rounds,
        metavar="N",
        help=f"rounds that count, at least {LEAST} (default: {FULL.rounds})",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help=f"about how long a round is (default: {FULL.seconds:g})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK.rounds} rounds of {QUICK.seconds:g} s; ratios are rough",
    )
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="clients and servers go before everything else (SCHED_RR, for root on Linux): for "
        "short runs of 50 tasks and more on a machine that others use, who stand still meanwhile; "
        "threads and single callers come out otherwise than on an idle machine",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the page there (default: RESULTS.md beside this program, of full runs only)",
    )
    return parser


def _sections(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(SECTIONS)}")
    return [name for name in SECTIONS if name in names]


def _rounds(text: str) -> int:
    number = int(text)
    if number < LEAST:
        raise argparse.ArgumentTypeError(f"a median needs at least {LEAST} rounds")
    return number


if __name__ == "__main__":
    sys.exit(main())
