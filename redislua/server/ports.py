"""Ports that stay ours for as long as a set of servers lives, its dead members' too.

The ports lie below the range from which kernels give a connection its own port (32768
on Linux, 49152 elsewhere). In that range a killed server's port soon belongs to some
client's connection, so that it cannot start again there, and a client that keeps trying
a dead port ends up connected to itself.
"""

from __future__ import annotations

import secrets
import socket
from typing import Self

from redislua.errors import ServerUnavailable

HOST = "127.0.0.1"
"""Where every server listens."""

BUS = 10_000
"""A cluster node's bus listens on its port plus this."""

_FIRST, _COUNT = 10_000, 10_000
_ATTEMPTS = 200


class Lease:
    """One port, which no other lease on this machine has, and its bus port.

    A UDP socket on the same number marks the port: it is seen by every process, and
    gone with the process that holds it, however that ends. Nothing else uses it.

    Attributes:
        port: Free of TCP listeners when it was leased, and so was ``port + BUS``.
    """

    def __init__(self, port: int, mark: socket.socket) -> None:
        self.port = port
        self._mark = mark

    @classmethod
    def new(cls) -> Self:
        """Lease a port.

        Raises:
            ServerUnavailable: No free port was found.
        """
        for _ in range(_ATTEMPTS):
            port = _FIRST + secrets.randbelow(_COUNT)
            mark = _bound(port, socket.SOCK_DGRAM)
            if mark is None:
                continue
            if _is_free(port) and _is_free(port + BUS):
                return cls(port, mark)
            mark.close()
        raise ServerUnavailable(
            f"no free port of {HOST} from {_FIRST} to {_FIRST + _COUNT - 1} was found in "
            f"{_ATTEMPTS} attempts"
        )

    def close(self) -> None:
        """Give the port back. Calling it again does nothing."""
        self._mark.close()


def _is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port`` now."""
    probe = _bound(port, socket.SOCK_STREAM)
    if probe is not None:
        probe.close()
    return probe is not None


def _bound(port: int, kind: socket.SocketKind) -> socket.socket | None:
    opened = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        # As the servers do: what is left of closed connections is no obstacle.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
    except OSError:
        opened.close()
        return None
    return opened
