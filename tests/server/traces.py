"""What a node leaves in the system while it runs, and waiting until it is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from redislua.server import Node
from redislua.server.ports import HOST

PATIENCE = 20.0  # seconds; far more than any of this takes, so that only a hang fails


class Traces(NamedTuple):
    """What a server leaves in the system while it runs; port 0 is none."""

    pid: int
    folder: Path
    port: int = 0

    def are_gone(self) -> bool:
        if _exists(self.pid) or self.folder.exists():
            return False
        return not self.port or _is_free(self.port)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def traces_of(node: Node) -> Traces:
    """Return what is to be gone after the node's end."""
    folder = node.ask("CONFIG GET", "dir")["dir"]
    return Traces(node.ask("INFO", "server")["process_id"], Path(folder), node.port)


def traces_printed(program: str) -> list[Traces]:
    """Run a Python program until its end; each line that it prints is ``pid port folder``."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    lines = [line.split(" ", 2) for line in ended.stdout.splitlines()]
    assert lines, ended.stderr
    return [Traces(int(pid), Path(folder), int(port)) for pid, port, folder in lines]


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what must happen in the end."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
