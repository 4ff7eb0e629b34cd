"""Both kinds of client, and faulty networks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

import redislua.server
from redislua.server import Server
from tests.patterns.openers import Opener
from tests.runtime.proxy import Proxy


@pytest.fixture(params=["blocking", "asyncio"])
def opener(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Opener]:
    """Blocking clients, then asyncio clients."""
    made = Opener(is_async=request.param == "asyncio", runner=runner)
    yield made
    made.close()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A faulty network before the session's server."""
    address = urlsplit(server.url)
    if address.hostname is None or address.port is None:
        pytest.skip("the server listens on no port")
    with Proxy(address.hostname, address.port) as opened:
        yield opened


@pytest.fixture
def private(server: Server) -> Iterator[Server]:
    """A server of the same kind for one test, which may spoil it."""
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    with redislua.server.start(server.kind) as opened:
        yield opened
