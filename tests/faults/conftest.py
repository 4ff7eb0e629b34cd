"""Every form of a call, on every ground."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

import redislua.server
from redislua.server import Cluster, Server
from redislua.server.node import Node, program, start_all, stop_all
from redislua.server.running import arguments
from tests.faults.forms import KINDS, Form, opened
from tests.faults.grounds import Ground
from tests.rig.fixtures import OfSession
from tests.runtime.proxy import Proxy


@pytest.fixture(params=[kind for kind in KINDS if kind.shape != "leased"], ids=str)
def form(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Form]:
    """Each form in turn."""
    with opened(request.param, runner) as one:
        yield one


@pytest.fixture(scope="module")
def single_server(server: Server) -> Iterator[Ground]:
    """A server of the module's own, which its tests may configure and must put right."""
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    with redislua.server.start(server.kind) as started:
        ground = Ground(started)
        yield ground
        ground.close()


@pytest.fixture(scope="module")
def whole_cluster(cluster_of_session: OfSession[Cluster]) -> Iterator[Ground]:
    """The session's cluster, which the module's tests may configure and must put right."""
    ground = Ground(cluster_of_session.lend())
    yield ground
    ground.close()
    cluster_of_session.inspect()


@pytest.fixture(params=["server", "cluster"])
def ground(request: pytest.FixtureRequest, server: Server) -> Ground:
    """One server, then a cluster, without data and without scripts."""
    name = "single_server" if request.param == "server" else "whole_cluster"
    chosen: Ground = request.getfixturevalue(name)
    chosen.empty()
    return chosen


@pytest.fixture
def one_server(single_server: Ground) -> Ground:
    """One server, without data and without scripts: for what no cluster can meet."""
    single_server.empty()
    return single_server


@pytest.fixture
def network(ground: Ground) -> Iterator[Proxy]:
    """A faulty network before the node that serves the samples' keys."""
    with Proxy(*ground.at) as proxy:
        yield proxy


@pytest.fixture
def node(server: Server) -> Iterator[Node]:
    """A server of the test's own, which can be killed, held and started again."""
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    of, options = program(server.kind, "server"), arguments({})
    nodes = start_all(1, lambda: Node(of, options))
    yield nodes[0]
    stop_all(nodes)
