"""Numbers that are no contests: Python's share of a call, and memory of idle clients."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys

from .measured import Figure
from .runners import PATIENCE, ROOT
from .workload import Target

CLIENTS = 500
"""Idle clients in one process."""

TIMES = 5
"""Processes of each kind."""

KB = 1024


def cost() -> list[Figure]:
    """Measure building and decoding."""
    try:
        measured = json.loads(_said("cost"))
    except subprocess.SubprocessError as error:
        return [Figure("build + decode", "Build and decode a call", None, "us", _why(error))]
    both = measured["build"] + measured["decode"]
    return [
        Figure("build", "Build a call: validate and encode", measured["build"], "us"),
        Figure("decode", "Decode a reply", measured["decode"], "us"),
        Figure("build + decode", "Build and decode a call", both, "us"),
    ]


def memory(target: Target) -> list[Figure]:
    """Measure idle clients; the script must be in the server's cache."""
    made = []
    for surface in ("blocking", "asyncio"):
        for how, of in (("resident", "resident memory"), ("traced", "Python's allocations")):
            name = f"idle {surface} {how}"
            title = f"Idle {surface} client beyond redis-py's own, {of}"
            try:
                extra = _extra(target, surface, how)
            except subprocess.SubprocessError as error:
                made.append(Figure(name, title, None, "KB per client", _why(error)))
            else:
                made.append(Figure(name, title, extra / KB, "KB per client"))
    return made


def _extra(target: Target, surface: str, how: str) -> float:
    """Return bytes that one client of redislua takes beyond one of redis-py."""
    grown: dict[str, list[float]] = {"redislua": [], "redis-py": []}
    for _ in range(TIMES):
        for side in random.sample(sorted(grown), 2):
            place = (target.host, str(target.port))
            said = _said("idle_clients", side, surface, *place, str(CLIENTS), how)
            grown[side].append(int(said) / CLIENTS)
    return statistics.median(grown["redislua"]) - statistics.median(grown["redis-py"])


def _said(module: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", f"tools.bench.{module}", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    ).stdout


def _why(error: subprocess.SubprocessError) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return "failed: " + str(said).strip().splitlines()[-1][:200]
