"""The Markdown page of a run, which says how it was measured and on what."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from importlib import metadata

from . import goals, table
from .contest import Pace
from .measured import Report
from .runners import benchmark_version

LIBRARIES = (
    "redislua",
    "redis",
    "hiredis",
    "coredis",
    "valkey-glide",
    "throttled-py",
    "pyrate-limiter",
    "limits",
)

HEAD = """\
# Side by side

Written by `make bench`; do not edit. Every contender has a process of its own, with its
connections open and the script in the server's cache, and makes the same call: `limit.gcra`
for one of 1 000 subjects (10 000 on the cluster) under a limit that is never reached. The
lines of redislua include building, validating and encoding the call and decoding its reply
to a typed object; the lines of other clients format the key, and their replies stay lists.
`redis-benchmark` sends the same EVALSHA with as many calls in flight.

Rounds are interleaved and shuffled. After each one the server is asked how many scripts it
ran and how many commands failed, and replies are looked at: whoever answers wrongly is out.

"""


def page(report: Report, pace: Pace) -> str:
    """Return the page."""
    sheets = [table.of_contest(one) for one in report.contests]
    if report.figures:
        sheets.append(table.of_figures(report.figures))
    parts = [
        HEAD,
        "## Measured with\n\n",
        "".join(f"- {line}\n" for line in _conditions(report, pace)),
        "\n## Goals\n\n",
        goals.sheet(report).markdown(),
        "\n## Tables\n\n",
        table.LEGEND,
        "\n",
        "\n".join(sheet.markdown() for sheet in sheets),
    ]
    return "".join(parts)


def _conditions(report: Report, pace: Pace) -> Sequence[str]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines = [
        f"{os.cpu_count()} processors, {python}, {platform.system()}",
        *report.versions,
        ", ".join(_version(name) for name in LIBRARIES),
        benchmark_version(),
        f"medians of {pace.rounds} rounds of about {pace.seconds:g} s each",
    ]
    if report.strangers:
        share = statistics.median(report.strangers)
        lines.append(f"other processes took {share:.0%} of the machine in the median round")
    return lines


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} absent"
