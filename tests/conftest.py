"""Servers, clients and surfaces for every test.

``--server`` chooses the server and may be repeated; a test that asks for ``surface`` or
``call`` runs once for each way of calling.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.probe.snapshot import Snapshot, snapshot
from redislua.server import Server
from tests import servers
from tests.surfaces import WAYS, Surface, Way


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--server``."""
    parser.addoption(
        "--server",
        action="append",
        default=[],
        metavar="KIND",
        help=f"server to test on, repeatable: {', '.join(servers.KNOWN)}, {servers.ALL} (those "
        "installed here), the path of a binary, or a redis:// URL, whose data is DELETED. "
        f"Default: REDISLUA_TEST_URL if set, else {servers.DEFAULT}",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a ``--server`` that cannot work before anything runs."""
    for name in _chosen(config):
        is_url = name.startswith(servers.URLS)
        if not is_url and name not in servers.KNOWN and not Path(name).is_file():
            raise pytest.UsageError(
                f"--server {name}: give {', '.join(servers.KNOWN)}, {servers.ALL}, "
                "the path of a binary or a redis:// URL"
            )
        if is_url and getattr(config.option, "numprocesses", None):
            raise pytest.UsageError(f"--server {name}: one server cannot serve several workers")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each chosen server, and once for each surface if it asks for one."""
    if "server" in metafunc.fixturenames:
        names = _chosen(metafunc.config)
        ids = [Path(name).name if "://" not in name else "url" for name in names]
        metafunc.parametrize("server", names, ids=ids, indirect=True, scope="session")
    if "surface" in metafunc.fixturenames:
        metafunc.parametrize("surface", WAYS, ids=str, indirect=True)


def _chosen(config: pytest.Config) -> list[str]:
    """Return the names of the servers to test on, each once."""
    given: list[str] = config.getoption("--server")
    given = given or [os.environ.get("REDISLUA_TEST_URL") or servers.DEFAULT]
    names = [
        one for name in given for one in (servers.present() if name == servers.ALL else [name])
    ]
    return list(dict.fromkeys(names))


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running server, one for the session (and for each worker of pytest-xdist)."""
    opened = servers.open_server(request.param)
    if isinstance(opened, str):
        pytest.skip(opened)
    with opened:
        yield opened


@pytest.fixture(scope="session")
def _session_client(server: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def client(_session_client: redis.Redis) -> redis.Redis:
    """A blocking client that gives bytes, on a server without data and without scripts."""
    with _session_client.pipeline(transaction=False) as pipe:
        pipe.flushall()
        pipe.script_flush()
        pipe.execute()
    return _session_client


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """The session's one event loop."""
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="session")
def _session_surfaces(server: Server, runner: asyncio.Runner) -> Iterator[dict[Way, Surface]]:
    opened = {way: Surface(way, server.url, runner) for way in WAYS}
    yield opened
    for surface in opened.values():
        surface.close()


@pytest.fixture
def surface(
    request: pytest.FixtureRequest, _session_surfaces: dict[Way, Surface], client: redis.Redis
) -> Surface:
    """One way of calling a script; the test runs once for each of the eight."""
    return _session_surfaces[request.param]


@pytest.fixture
def call(surface: Surface) -> Callable[..., Any]:
    """``call(limit.gcra(...))`` runs a call on the surface and returns its reply."""
    return surface.call


@pytest.fixture
def dataset(client: redis.Redis) -> Callable[[], Snapshot]:
    """``dataset()`` is the exact state of all keys: equal before and after means unchanged."""
    return lambda: snapshot(client)
