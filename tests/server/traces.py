"""What a node leaves in the system while it runs, and waiting until it is gone."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from redislua.server import Node
from redislua.server.ports import HOST

PATIENCE = 20.0  # seconds; far more than any of this takes, so that only a hang fails


class Traces(NamedTuple):
    """What a node leaves in the system while it runs."""

    pid: int
    port: int
    folder: Path

    def are_gone(self) -> bool:
        return not _exists(self.pid) and not self.folder.exists() and _is_free(self.port)


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
    return Traces(node.ask("INFO", "server")["process_id"], node.port, Path(folder))


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what must happen in the end."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
