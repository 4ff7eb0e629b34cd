"""The server is not there for a while."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from redislua.errors import OutcomeUnknown, ServerUnreachable
from redislua.server import Cluster, Server, start_cluster
from redislua.server.node import Node
from tests.faults.forms import KINDS, PATIENT, Ended, Form, Kind, opened
from tests.faults.grounds import Ground
from tests.faults.samples import COUNT, beside, counting


@pytest.fixture
def own(node: Node) -> Iterator[Ground]:
    """The test's own server, as a ground."""
    ground = Ground(node)
    yield ground
    ground.close()


def test_a_restart_between_calls_is_not_noticed(form: Form, node: Node, own: Ground) -> None:
    """Row 5: scripts and connections are gone."""
    client = form.open(own)
    assert form.run(client, COUNT) == 1

    node.restart()

    assert form.run(client, COUNT) == own.executions() == 1  # the data is gone too
    assert own.executions_beside() == form.neighbours


def test_a_server_that_is_down(form: Form, node: Node, own: Ground) -> None:
    """Row 5: refused connections are no execution; the next call waits for the server."""
    client = form.open(own)
    form.run(client, COUNT)
    node.kill()

    ended = form.end(client, COUNT, deadline=0.1)

    for one in (ended.own, *ended.beside):
        assert type(one) is ServerUnreachable
    starting = threading.Timer(0.05, node.restart)
    starting.start()
    try:
        assert form.run(client, COUNT, deadline=PATIENT) == 1
    finally:
        starting.join()
    assert own.executions() == 1


def test_a_server_that_hangs(form: Form, node: Node, own: Ground) -> None:
    """Row 10: what it was sent, it may still run when it wakes up; once."""
    client = form.open(own)
    form.run(client, COUNT)
    node.suspend()

    ended = form.end(client, COUNT, deadline=0.2)
    node.resume()

    for one in (ended.own, *ended.beside):
        assert type(one) is OutcomeUnknown
    # The server reads its connections in any order: the lost call may come after this one.
    assert form.run(client, COUNT, deadline=PATIENT) in (2, 3)
    assert own.executions() == 3
    # Theirs is `safe`, and was given no time for another send.
    assert own.executions_beside() == 3 * form.neighbours


def test_a_node_of_a_cluster_that_is_down(server: Server) -> None:
    """Row 5: every form waits for the same restart of a node, and every call runs once."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_cluster(server.kind, replicas=0) as cluster, ThreadPoolExecutor(len(KINDS)) as all_:
        ended = dict(zip(KINDS, all_.map(Restarted(cluster).witness, KINDS), strict=True))

    assert {str(kind): type(down.own) for kind, (down, _) in ended.items()} == {
        str(kind): ServerUnreachable for kind in KINDS
    }
    assert {str(kind): later.own for kind, (_, later) in ended.items()} == {
        str(kind): 1 for kind in KINDS
    }


class Restarted:
    """A node of a cluster that goes down and comes back, while every form looks on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ground = Ground(cluster)
        self._node = cluster.owner("{sample}")
        self._down = threading.Barrier(len(KINDS), self._node.kill)
        self._told = threading.Barrier(len(KINDS), self._restart)

    def witness(self, kind: Kind) -> tuple[Ended, Ended]:
        """Call when the node is down, and again until it is back."""
        key = f"{{sample}}{kind}".encode()
        call, among = counting(key=key), beside(key=key + b":beside")
        with asyncio.Runner() as runner, opened(kind, runner) as form:
            client = form.open(self._ground)
            assert form.run(client, call, among=among) == 1
            self._down.wait(PATIENT)
            down = form.end(client, call, among=among, deadline=0.3)
            self._told.wait(PATIENT)
            return down, form.end(client, call, among=among, deadline=PATIENT)

    def _restart(self) -> None:
        self._ground.close()
        threading.Timer(0.05, self._node.restart).start()
