"""The rig's shared cluster is always in order, and its slots can be moved."""

from __future__ import annotations

import pytest
import redis

from redislua.server import Cluster
from tests.rig import migration
from tests.rig.fixtures import OfSession


def test_a_slot_moves_with_its_keys(cluster: Cluster) -> None:
    source = cluster.owner("{tag}")
    target = next(node for node in cluster.primaries() if node is not source)
    slot = source.ask("CLUSTER KEYSLOT", "{tag}")
    for number in range(150):
        source.ask("SET", f"{{tag}}{number}", number)

    assert migration.move(cluster, slot, target) == 150

    assert cluster.owner("{tag}") is target
    assert target.ask("CLUSTER COUNTKEYSINSLOT", slot) == 150
    with pytest.raises(redis.exceptions.MovedError):
        source.ask("GET", "{tag}1")
    assert migration.move(cluster, slot, target) == 0


def test_a_move_can_stop_half_way_and_be_taken_back(cluster: Cluster) -> None:
    source = cluster.owner("{tag}")
    target = next(node for node in cluster.primaries() if node is not source)
    slot = source.ask("CLUSTER KEYSLOT", "{tag}")
    for number in range(5):
        source.ask("SET", f"{{tag}}{number}", number)

    migration.begin(cluster, slot, source, target)
    assert migration.move_keys(slot, source, target, limit=3) == 3

    with pytest.raises(redis.exceptions.AskError):
        source.ask("GET", "{tag}absent")
    assert cluster.problem() == f"node {source.id} has a slot on the move"
    with pytest.raises(ValueError, match="does not move"):
        migration.begin(cluster, slot, target, source)
    migration.abandon(cluster, slot, source, target)
    assert cluster.problem() is None
    assert source.ask("CLUSTER COUNTKEYSINSLOT", slot) == 5


def test_the_shared_cluster_is_lent_empty(cluster_of_session: OfSession[Cluster]) -> None:
    first = cluster_of_session.lend()
    node = first.owner("key")
    node.ask("SET", "key", "value")
    sha = node.ask("SCRIPT LOAD", "return 1")

    again = cluster_of_session.lend()

    assert again is first
    assert node.ask("DBSIZE") == 0
    assert node.ask("SCRIPT EXISTS", sha) == [False]


@pytest.mark.parametrize("harm", ["dead", "suspended", "configured", "user"])
def test_a_shared_cluster_that_a_test_broke_is_replaced(
    harm: str, cluster_of_session: OfSession[Cluster]
) -> None:
    broken = cluster_of_session.lend()
    node = broken.nodes[0]
    if harm == "dead":
        node.kill()
    elif harm == "suspended":
        node.suspend()
    elif harm == "configured":
        node.ask("CONFIG SET", "maxmemory", "100mb")
    else:
        node.ask("ACL SETUSER", "guest", "on", "nopass")

    cluster_of_session.inspect()

    fresh = cluster_of_session.lend()
    assert fresh is not broken
    assert not node.is_running
    assert fresh.problem() is None


def test_a_script_that_breaks_a_nodes_scripts_is_not_the_next_tests_problem(
    cluster_of_session: OfSession[Cluster],
) -> None:
    harmed = cluster_of_session.lend().owner("a")
    with pytest.raises(redis.ResponseError):
        # Valkey 9.1 runs no redis.call on this node from now on.
        harmed.ask("EVAL", "#!lua\nreturn redis.call('MSET', 'a', 1, 'b', 2, 'c', 3)", 0)

    cluster_of_session.inspect()

    for node in cluster_of_session.lend().nodes:
        assert node.ask("EVAL", "return redis.call('PING')", 0) == "PONG"
