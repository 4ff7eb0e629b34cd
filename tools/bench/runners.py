"""Those that make rounds: workers in processes of their own, and redis-benchmark."""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .worker import Order

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds until an answer counts as not coming."""

COMPLAINTS = 4_000
"""Characters of what a failed worker wrote that are shown."""


class Missing(Exception):
    """The contender cannot take part, or no longer."""


class Ran(NamedTuple):
    """What it took to make a round's calls.

    Attributes:
        seconds: How long they took.
        cpu: Seconds of processor time that the client's process used for them.
        spent: The same, with what it took to prepare and to look at the replies.
    """

    seconds: float
    cpu: float
    spent: float


class Runner(Protocol):
    """What makes rounds."""

    def rounded(self, calls: float) -> int:
        """Return about ``calls``: as many as divide evenly among those in flight."""

    def run(self, calls: int) -> Ran:
        """Make the calls.

        Raises:
            Missing: A call failed, or they do not end.
        """

    def close(self) -> None:
        """End what was started."""


class Worker:
    """A contender in a process of its own."""

    def __init__(self, order: Order) -> None:
        self._callers = order.target.callers * order.batch
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )
        try:
            self._say(order.dumps())
            self._answer()
        except BaseException:
            self.close()
            raise

    def rounded(self, calls: float) -> int:
        """Return about ``calls``, the same number for each caller."""
        return max(1, round(calls / self._callers)) * self._callers

    def run(self, calls: int) -> Ran:
        """Make the calls.

        Raises:
            Missing: A call failed, or the worker does not answer.
        """
        self._say(json.dumps({"calls": calls}))
        return Ran(**self._answer())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended("failed: its process has ended") from error

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            raise Missing(f"no answer within {PATIENCE:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._ended("failed: its process has ended")
        answer: dict[str, Any] = json.loads(line)
        if "absent" in answer:
            raise Missing(f"absent: {answer['absent']}")
        if "failed" in answer:
            raise self._ended(f"failed: {answer['failed']}")
        return answer

    def _ended(self, reason: str) -> Missing:
        """Return the exception of a process that has ended, with what it wrote."""
        self._process.wait(PATIENCE)
        self._complaints.seek(0)
        error = Missing(reason)
        error.add_note(self._complaints.read().decode(errors="replace")[-COMPLAINTS:])
        return error


class RedisBenchmark:
    """``redis-benchmark`` sending the same EVALSHA, with as many calls in flight."""

    def __init__(self, order: Order, connections: int, pipelined: int) -> None:
        path = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
        if path is None:
            raise Missing("absent: neither redis-benchmark nor valkey-benchmark is on PATH")
        target = order.target
        self._in_flight = connections * pipelined
        self._command = [path, "-h", target.host, "-p", str(target.port), "--csv"]
        self._command += ["-r", str(order.subjects)]
        self._command += ["-c", str(connections), "-P", str(pipelined)]
        self._call = ["EVALSHA", target.sha1, "1"]
        self._call += [f"{target.before}user:__rand_int__{target.after}", *map(str, target.args)]

    def close(self) -> None:
        """Do nothing: it runs for a round at a time."""

    def rounded(self, calls: float) -> int:
        """Return about ``calls``, a multiple of what is in flight."""
        return max(1, round(calls / self._in_flight)) * self._in_flight

    def run(self, calls: int) -> Ran:
        """Make the calls; the seconds are by its own clock.

        Raises:
            Missing: It failed.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = subprocess.run(
                [*self._command, "-n", str(calls), *self._call],
                capture_output=True,
                text=True,
                check=True,
                timeout=PATIENCE,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise Missing(f"failed: {error}") from error
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        if len(rows) != 1 or done.stderr.strip():
            raise Missing(f"failed: {(done.stderr or done.stdout).strip()[:200]}")
        return Ran(calls / float(rows[0]["rps"]), cpu, cpu)


def benchmark_version() -> str:
    """Return ``redis-benchmark 7.0.15``, or that there is none."""
    path = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if path is None:
        return "redis-benchmark: absent"
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"\d+\.\d+\.\d+", said)
    return f"{Path(path).name} {number[0] if number else said.strip()}"
