"""A cluster serves, survives the death of its nodes, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.cluster import ClusterNode as Address
from redis.cluster import RedisCluster

from redislua.errors import ServerUnavailable
from redislua.server import Cluster, Node, Server, start_cluster
from redislua.server import node as node_module
from redislua.server.ports import BUS, HOST, Lease
from tests.server.traces import traces_of, traces_printed, until

PROGRAM = """
import os, signal, sys, time
from redislua.server import start_cluster

cluster = start_cluster(primaries=1, replicas=1)
for node in cluster.nodes:
    print(node.ask("INFO", "server")["process_id"], node.port, node.ask("CONFIG GET", "dir")["dir"])
sys.stdout.flush()
"""


def _holds(node: Node, keys: int) -> bool:
    return bool(node.ask("DBSIZE") == keys)


def _client_of(cluster: Cluster, **options: Any) -> RedisCluster:
    places = [Address(host, port) for host, port in cluster.addresses]
    return RedisCluster(startup_nodes=places, decode_responses=True, **options)


def test_a_cluster_is_in_order_and_shares_out_all_slots(cluster: Cluster) -> None:
    primaries = cluster.primaries()

    assert cluster.problem() is None
    assert len(primaries) == 3
    assert [len(cluster.replicas_of(node)) for node in primaries] == [1, 1, 1]
    assert {cluster.owner(slot) for slot in range(0, 16384, 512)} == set(primaries)


def test_its_url_names_every_node(cluster: Cluster) -> None:
    places = ",".join(f"{host}:{port}" for host, port in cluster.addresses)

    assert cluster.url == f"redis+cluster://{places}/0"
    assert len({port for _, port in cluster.addresses}) == 6
    assert all(node.ask("CLUSTER MYID") == node.id for node in cluster.nodes)


def test_it_says_what_it_is(cluster: Cluster, server: Server) -> None:
    assert (cluster.kind, cluster.version) == (server.kind, server.version)


def test_a_client_reaches_all_primaries_and_writes_reach_the_replicas(cluster: Cluster) -> None:
    with _client_of(cluster) as client:
        for number in range(60):
            client.set(f"key:{number}", number)

    counts = [node.ask("DBSIZE") for node in cluster.primaries()]
    assert sum(counts) == 60
    assert min(counts) > 0
    for primary, count in zip(cluster.primaries(), counts, strict=True):
        [replica] = cluster.replicas_of(primary)
        has_them = functools.partial(_holds, replica, count)
        until(has_them, "the replica has the keys")


def test_a_key_and_its_slot_have_the_same_owner(cluster: Cluster) -> None:
    slot = cluster.nodes[0].ask("CLUSTER KEYSLOT", "{user:42}:a")

    assert cluster.owner("{user:42}:a") is cluster.owner(b"{user:42}:b") is cluster.owner(slot)
    assert cluster.owner(slot).ask("SET", "{user:42}:a", "1") is True


def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(
    private_cluster: Cluster,
) -> None:
    cluster = private_cluster
    old = cluster.owner("key")
    [heir] = cluster.replicas_of(old)
    name = old.id
    with old.connected() as writer:
        writer.set("key", "kept")
        writer.wait(1, 5000)

    old.kill()

    until(lambda: cluster.owner("key") is heir, "the replica is promoted")
    assert heir.ask("GET", "key") == "kept"
    assert not old.is_running
    assert cluster.problem() == f"{old} does not run"
    old.restart()
    cluster.await_ready()
    assert old.ask("CLUSTER MYID") == name
    assert cluster.replicas_of(heir) == [old]


def test_a_suspended_primary_is_replaced_and_learns_of_it_when_it_goes_on(
    private_cluster: Cluster,
) -> None:
    cluster = private_cluster
    old = cluster.owner("key")
    [heir] = cluster.replicas_of(old)

    old.suspend()

    assert old.is_running
    assert not old.can_answer
    with pytest.raises(redis.TimeoutError):
        old.ask("PING")
    until(lambda: cluster.owner("key") is heir, "the replica is promoted")
    old.resume()
    cluster.await_ready()
    assert cluster.replicas_of(heir) == [old]


def test_a_restarted_node_has_lost_its_data_and_nothing_else(server: Server) -> None:
    with start_cluster(server.kind, primaries=1, replicas=0) as cluster:
        [node] = cluster.nodes
        before = (node.address, node.id)
        node.ask("SET", "key", "value")

        node.restart()

        cluster.await_ready()
        assert (node.address, node.ask("CLUSTER MYID")) == (before[0], before[1])
        assert node.ask("DBSIZE") == 0
        assert cluster.owner("key") is node


def test_a_restarted_replica_keeps_no_copy_of_its_own(private_cluster: Cluster) -> None:
    primary = private_cluster.owner("key")
    [replica] = private_cluster.replicas_of(primary)
    folder = traces_of(replica).folder

    replica.restart()
    private_cluster.await_ready()

    assert list(folder.glob("*.rdb")) == []


def test_nothing_is_left_after_stop_also_of_killed_and_suspended_nodes(server: Server) -> None:
    with start_cluster(server.kind) as cluster:
        traces = [traces_of(node) for node in cluster.nodes]
        killed, suspended, stopped, *_ = cluster.nodes
        killed.kill()
        assert traces[0].folder.exists()
        suspended.suspend()
        stopped.stop()
        stopped.stop()
        assert traces[2].are_gone()

    assert [one for one in traces if not one.are_gone()] == []
    cluster.stop()
    with pytest.raises(ServerUnavailable, match="was stopped for good"):
        killed.restart()
    with pytest.raises(ServerUnavailable, match="no node answers"):
        cluster.primaries()


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "os._exit(4)",
        "signal.raise_signal(signal.SIGKILL)",
        "cluster.nodes[0].kill(); signal.raise_signal(signal.SIGKILL)",
        "cluster.nodes[0].restart(); signal.raise_signal(signal.SIGKILL)",
        "cluster.nodes[0].suspend(); signal.raise_signal(signal.SIGKILL)",
    ],
    ids=["return", "os._exit", "SIGKILL", "killed node", "restarted node", "suspended node"],
)
def test_a_cluster_ends_with_its_process(ending: str) -> None:
    traces = traces_printed(PROGRAM + ending)

    assert len(traces) == 2
    for one in traces:
        until(one.are_gone, f"{one} is gone")


def test_clusters_started_at_the_same_moment_share_no_port() -> None:
    started: list[Cluster] = []

    def start() -> None:
        started.append(start_cluster(primaries=1, replicas=1))

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    try:
        assert len({place for one in started for place in one.addresses}) == 6
        assert [one.problem() for one in started] == [None] * 3
    finally:
        for one in started:
            one.stop()


def test_a_port_that_was_taken_is_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Lease.new
    with socket.socket() as bus, contextlib.closing(Lease.new()) as raced:
        # The bus alone is taken: the server finds out after it has bound its port.
        bus.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bus.bind((HOST, raced.port + BUS))
        bus.listen()
        leases = iter([raced])
        monkeypatch.setattr(Lease, "new", lambda: next(leases, None) or new())

        with start_cluster(primaries=1, replicas=0) as cluster:
            assert cluster.nodes[0].port != raced.port
            assert cluster.problem() is None


def test_a_leased_port_is_not_leased_again_until_it_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with contextlib.closing(Lease.new()) as first:
        wanted = first.port
        monkeypatch.setattr("redislua.server.ports._FIRST", wanted)
        monkeypatch.setattr("redislua.server.ports._COUNT", 1)

        with pytest.raises(ServerUnavailable, match="no free port"):
            Lease.new()
        first.close()
        with contextlib.closing(Lease.new()) as second:
            assert second.port == wanted


def test_a_port_taken_while_its_node_was_dead_is_reported() -> None:
    with start_cluster(primaries=1, replicas=0) as cluster:
        [node] = cluster.nodes
        node.kill()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(node.address)
            thief.listen()
            with pytest.raises(ServerUnavailable, match="another process took its port"):
                node.restart()
        node.restart()
        assert node.ask("PING") is True


def test_options_reach_every_node() -> None:
    config = {"maxmemory": "20mb", "cluster-node-timeout": "1500"}
    with start_cluster(primaries=1, replicas=1, config=config) as cluster:
        for node in cluster.nodes:
            set_to = node.ask("CONFIG GET", "maxmemory", "cluster-node-timeout")
            assert set_to == {"maxmemory": "20971520", "cluster-node-timeout": "1500"}


def test_a_node_that_is_dead_cannot_be_suspended() -> None:
    with start_cluster(primaries=1, replicas=0) as cluster:
        [node] = cluster.nodes
        node.kill()
        node.kill()

        with pytest.raises(ServerUnavailable, match="nothing to suspend"):
            node.suspend()
        node.resume()


@pytest.mark.parametrize("arguments", [{"primaries": 0}, {"primaries": -1}, {"replicas": -1}])
def test_impossible_numbers_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        start_cluster(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["port", "dir", "cluster-enabled", "cluster-port", "replicaof"])
def test_options_that_start_cluster_decides_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"config: '{name}' is decided by start_cluster"):
        start_cluster(config={name: "x"})


def test_containers_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(ServerUnavailable, match="of plain processes, not of containers"):
        start_cluster("container:redis:8.2")
    with pytest.raises(ServerUnavailable, match="unknown kind of cluster 'redis'"):
        start_cluster("redis")
    with pytest.raises(ServerUnavailable, match="there is no such file"):
        start_cluster("binary:/nonexistent/redis-server")


@pytest.fixture
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What fails must leave the temporary folder as it was."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("_temporary")
def test_a_node_that_does_not_start_is_quoted_and_the_others_are_gone() -> None:
    with pytest.raises(ServerUnavailable, match="argument must be a memory value"):
        start_cluster(config={"maxmemory": "lots"})


@pytest.mark.usefixtures("_temporary")
def test_nodes_that_never_agree_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "SETTLE_DEADLINE", 0.3)

    # A primary needs two seconds before it serves.
    with pytest.raises(ServerUnavailable, match=r"in order after 0\.3 s: .* says cluster_"):
        start_cluster(primaries=1, replicas=0)
