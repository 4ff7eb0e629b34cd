"""The ways in which the calls of a client travel, and how to hold them up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from redislua.runtime import configure
from redislua.server import Server
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import Sharing
from tests.runtime.coalescing.gate import Gate


@pytest.fixture(params=[True, False], ids=["shared", "alone"])
def opened(request: pytest.FixtureRequest, caller: Caller) -> Any:
    """``opened(url, …)`` is a client whose calls are coalesced, then one whose calls are not."""

    def open_client(url: str, **options: Any) -> Any:
        client = caller.open(url, **options)
        configure(client, coalesce=request.param)
        return client

    return open_client


@pytest.fixture
def gate(server: Server) -> Iterator[Gate]:
    """A relay before the session's server that can keep replies back."""
    address = urlsplit(server.url)
    if address.hostname is None or address.port is None:
        pytest.skip("the server listens on no port")
    with Gate(address.hostname, address.port) as opened:
        yield opened


@pytest.fixture
def sharing(gate: Gate) -> Iterator[Sharing]:
    """A blocking client whose one own connection is taken: its calls share the other one."""
    with Sharing(gate) as opened:
        yield opened
