"""Ctrl-C while a batch waits for several nodes: the connections to all of them are settled."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from redislua.runtime import run_many
from redislua.runtime.connections import ClusterPool
from redislua.runtime.pools import pools
from redislua.server import Cluster
from tests.cluster.callers import incr, keys
from tests.rig.interrupt import interrupted


def test_a_batch_that_waits_for_several_nodes_gives_its_room_back(
    patient_cluster: Cluster, library: ModuleType
) -> None:
    """Only one connection to each node is allowed; a forgotten one would be the last."""
    for each in patient_cluster.nodes:
        each.ask("FLUSHALL")
    node = patient_cluster.nodes[0]
    opened: Any = library.RedisCluster(host="127.0.0.1", port=node.port, max_connections=1)
    calls = [incr(key) for key in keys(60)]
    run_many(opened, *calls)
    for each in patient_cluster.nodes:
        each.suspend()
    try:
        interrupted(opened, *calls)
    finally:
        for each in patient_cluster.nodes:
            each.resume()

    pool = pools.of(opened)
    assert isinstance(pool, ClusterPool)
    assert [one._made for one in pool._by_address.values()] == [0, 0, 0]
    # What the nodes had received ran; its replies are not taken for those that follow.
    assert run_many(opened, *calls) == (3,) * len(calls)
    opened.close()
