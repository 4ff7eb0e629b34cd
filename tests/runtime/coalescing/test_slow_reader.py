"""A server that takes bytes in slowly, for ever: the deadline bounds writing too."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import valkey

from redislua.errors import OutcomeUnknown
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import echo

PATIENCE = 5.0
"""Seconds that the server reads for: many times the deadline of the call."""


class SlowReader:
    """Listens on ``port`` and takes 64 KiB from its one client every 50 ms, answering nothing."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.gave_up = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()

    def _read(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            for _ in range(int(PATIENCE / 0.05)):
                if self._stop.wait(0.05) or not connection.recv(65536):
                    return
        self.gave_up = True


@pytest.fixture
def slow() -> Iterator[SlowReader]:
    """A server that reads slowly."""
    opened = SlowReader()
    yield opened
    opened.close()


def test_a_call_that_is_still_being_written_ends_at_its_deadline(
    caller: Caller, slow: SlowReader, opened: Any
) -> None:
    # Without a word of greeting the connection needs no reply before the call is written.
    client = opened(
        f"redis://127.0.0.1:{slow.port}/0",
        library=valkey,
        protocol=2,
        lib_name=None,
        lib_version=None,
    )

    with pytest.raises(OutcomeUnknown):
        caller.run(client, echo(1, 24 * 1024 * 1024), deadline=0.3)

    assert not slow.gave_up
