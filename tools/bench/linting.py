"""How long `redislua lint` takes for a thousand scripts, beside luacheck on the same files."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redislua.syntax.gate import problems

from .measured import Figure
from .runners import PATIENCE, ROOT

FILES = 1_000
LINES = 60
ROUNDS = 5
SEED = 1

CORPUS = ROOT / "tests" / "lint" / "corpus" / "foreign"


def linting() -> list[Figure]:
    """Measure runs of whole processes on one processor, in turn; medians of five rounds."""
    redislua = [sys.executable, "-m", "redislua.cli", "lint", "--isolated", "--format", "concise"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lines = write_scripts(place / "scripts")
        env = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), "NO_COLOR": "1"}
        luacheck = shutil.which("luacheck")
        runs: dict[str, Callable[[], float]] = {
            "cold": lambda: _timed([*redislua, "--no-cache", "scripts"], place, env),
            "warm": lambda: _timed([*redislua, "scripts"], place, env),
        }
        if luacheck is not None:
            checked = [luacheck, "--no-color", "--no-cache", "-q", "scripts"]
            runs["luacheck"] = lambda: _timed(checked, place, env)
        runs["warm"]()  # fills the cache
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name in random.sample(sorted(runs), len(runs)):
                taken[name].append(runs[name]())
    seconds = {name: statistics.median(values) for name, values in taken.items()}
    title = f"Lint {FILES} scripts of {lines:.0f} lines"
    figures = [
        Figure("lint cold", f"{title}: cold, one processor", seconds["cold"], "s"),
        Figure("lint warm", f"{title}: nothing changed", seconds["warm"], "s"),
    ]
    missing = "" if luacheck is not None else "luacheck is not installed"
    ratio = None
    if luacheck is not None:
        pairs = zip(taken["cold"], taken["luacheck"], strict=True)
        ratio = statistics.median(cold / other for cold, other in pairs)
    figures.append(
        Figure("lint luacheck", "The same by luacheck", seconds.get("luacheck"), "s", missing)
    )
    figures.append(Figure("lint ratio", "redislua, cold, of luacheck's time", ratio, "x", missing))
    return figures


def write_scripts(folder: Path) -> float:
    """Write scripts made of whole foreign ones, and return how many lines they have on average."""
    folder.mkdir()
    draw = random.Random(SEED)
    parts = [
        source
        for path in sorted(CORPUS.glob("*.lua"))
        if not problems(source := path.read_bytes()) and not source.startswith(b"#!")
    ]
    total = 0
    for number in range(FILES):
        text = _script(draw, parts, number)
        total += text.count(b"\n")
        (folder / f"script_{number:04}.lua").write_bytes(text)
    return total / FILES


def _script(draw: random.Random, parts: Sequence[bytes], number: int) -> bytes:
    """Foreign scripts one after another, each in a block of its own, up to about `LINES` lines."""
    text = b"-- %d\n" % number
    for _ in range(100):
        part = b"do\n" + draw.choice(parts).rstrip() + b"\nend\n"
        if (text + part).count(b"\n") <= LINES + 5 and not problems(text + part):
            text += part
        if text.count(b"\n") >= LINES - 3:
            break
    return text


def _timed(command: Sequence[str], folder: Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=_pin,  # nothing here has threads
    )
    taken = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return taken


def _pin() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
