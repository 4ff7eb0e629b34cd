"""Servers, clients and surfaces for every test.

``--server`` chooses the server and may be repeated; a test that asks for ``surface`` or
``call`` runs once for each way of calling.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.probe.snapshot import Snapshot, snapshot
from redislua.server import Cluster, Server, start_cluster
from tests import servers
from tests.surfaces import CLUSTER, SINGLE, WAYS, Surface, Way, WholeCluster, seeds

pytest_plugins = ["tests.rig.fixtures"]

WAITING = frozenset(
    {"budget", "cluster", "coalescing", "engine", "faults", "inspect", "patterns", "probe"}
    | {"rig", "runtime", "server", "soak"}
)
"""Folders of tests that wait for elections, time-outs, starts of servers, programs and
measurements, and of what lies over calls."""

PROGRAMS = frozenset({"cli", "tests"})
"""Folders of tests of programs: what they print does not depend on the server, but where a test
is marked ``ends``."""

FAMILIES = frozenset(path.name for path in (Path(__file__).parents[1] / "scripts").iterdir())
FAMILIES |= {"catalogue"}
"""Folders of tests of scripts."""

ENDS = (SINGLE[0], SINGLE[-1], *CLUSTER)
"""Ways of calling that meet every choice once, alone and on a cluster."""

TWO = (SINGLE[0], CLUSTER[-1])
"""The two that differ most: blocking on one server, asyncio on a cluster."""


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
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="run everything on every chosen server: without it the tests of faults, clusters and "
        "servers, which mostly wait, run on the first and the last of them, and those of scripts "
        "and patterns on all but the first by two ways of calling",
    )
    parser.addoption("--soak", action="store_true", help="run the tests marked soak in full")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a ``--server`` that cannot work before anything runs."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Whoever runs a program in the background may have it ignore Ctrl-C, and so would
        # the programs that tests start and interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "single_server(reason): needs one server: not run on the ways of a cluster"
    )
    config.addinivalue_line(
        "markers", "ends: a program whose figures are the server's: run on the first and the last"
    )
    config.addinivalue_line(
        "markers",
        "client_side: what the client does, on whatever server: run on one of those chosen",
    )
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
    folder = metafunc.definition.path.parent.name
    everywhere = metafunc.config.getoption("--everywhere")
    names: list[str] = []
    if "server" in metafunc.fixturenames:
        names = _chosen(metafunc.config)
        if metafunc.definition.get_closest_marker("client_side"):
            names = names[:1]
        elif not everywhere and folder in PROGRAMS:
            is_marked = metafunc.definition.get_closest_marker("ends") is not None
            names = _ends(names) if is_marked else names[:1]
        elif folder in WAITING | FAMILIES:
            names = names if everywhere else _ends(names)
    if "surface" not in metafunc.fixturenames:
        if names:
            ids = [_id(name) for name in names]
            metafunc.parametrize("server", names, ids=ids, indirect=True, scope="session")
        return
    ways: Sequence[Way] = (
        SINGLE if metafunc.definition.get_closest_marker("single_server") else WAYS
    )
    # The scripts are the same whatever way their calls take, and so are the ways whatever
    # server answers: all ways on the first server, and two on each of the others.
    if folder == "patterns":  # logic over calls, which the tests of scripts make in every way
        ways = [way for way in ways if way in ENDS]
    is_few = not everywhere and folder in FAMILIES | {"patterns"}
    few = [way for way in ways if way in TWO] if is_few else ways
    pairs = [(name, way) for name in names for way in (ways if name == names[0] else few)]
    ids = [f"{_id(name)}-{way}" for name, way in pairs]
    metafunc.parametrize(("server", "way"), pairs, ids=ids, indirect=True, scope="session")


def _id(name: str) -> str:
    return Path(name).name if "://" not in name else "url"


def _ends(names: list[str]) -> list[str]:
    """The first and the last: of all servers the newest Valkey and the oldest Redis."""
    return list(dict.fromkeys((names[0], names[-1])))


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


@pytest.fixture(scope="session")
def _session_cluster(server: Server) -> Iterator[Cluster]:
    """A cluster for what scripts do, and not for faults: without replicas, and never broken."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_cluster(server.kind, replicas=0) as opened:
        yield opened


@pytest.fixture(scope="session")
def _session_cluster_client(_session_cluster: Cluster) -> Iterator[WholeCluster]:
    with WholeCluster(startup_nodes=seeds(_session_cluster.addresses)) as client:
        yield client


@pytest.fixture
def bare_cluster(_session_cluster: Cluster, _session_cluster_client: WholeCluster) -> Cluster:
    """Three primaries without replicas, without data and without scripts, which nobody breaks."""
    for primary in _session_cluster_client.primaries():
        _empty(primary)
    return _session_cluster


@pytest.fixture(scope="session")
def way(request: pytest.FixtureRequest) -> Way | None:
    """The way of calling that the test runs on, if it asks for ``surface`` or ``call``."""
    return getattr(request, "param", None)


@pytest.fixture
def client(request: pytest.FixtureRequest, way: Way | None, server: Server) -> Any:
    """A blocking client that gives bytes, on a server without data and without scripts.

    The server is the surface's: a cluster for the ways that are a cluster's.
    """
    if way is not None and way.is_cluster:
        request.getfixturevalue("bare_cluster")
        return request.getfixturevalue("_session_cluster_client")
    single: redis.Redis = request.getfixturevalue("_session_client")
    _empty(single)
    return single


def _empty(server: redis.Redis) -> None:
    with server.pipeline(transaction=False) as pipe:
        pipe.flushall()
        pipe.script_flush()
        pipe.execute()


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """``soak(small, full)`` is how often a long test repeats: ``full`` with ``--soak``."""
    in_full = request.config.getoption("--soak")
    return lambda small, full: full if in_full else small


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """The session's one event loop."""
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="session")
def _session_surfaces(server: Server, runner: asyncio.Runner) -> Iterator[dict[Way, Surface]]:
    opened: dict[Way, Surface] = {}
    yield opened
    for surface in opened.values():
        surface.close()


@pytest.fixture
def surface(
    request: pytest.FixtureRequest,
    way: Way,
    _session_surfaces: dict[Way, Surface],
    runner: asyncio.Runner,
    client: Any,
) -> Surface:
    """One way of calling a script; the test runs once for each."""
    if way not in _session_surfaces:
        servers = request.getfixturevalue("_session_cluster" if way.is_cluster else "server")
        _session_surfaces[way] = Surface(way, servers, runner)
    return _session_surfaces[way]


@pytest.fixture
def call(surface: Surface) -> Callable[..., Any]:
    """``call(limit.gcra(...))`` runs a call on the surface and returns its reply."""
    return surface.call


@pytest.fixture
def dataset(client: Any) -> Callable[[], Snapshot]:
    """``dataset()`` is the exact state of all keys: equal before and after means unchanged."""
    if not isinstance(client, WholeCluster):
        return lambda: snapshot(client)
    return lambda: {key: one for node in client.primaries() for key, one in snapshot(node).items()}
