"""Moving a slot between two primaries of a running cluster, step by step.

``move`` does it all. The steps apart hold the cluster in the states between: after
`begin` the source answers ASK for keys that it lacks, after `move_keys` the target has
them and serves them after ASKING alone, after `finish` everybody answers MOVED.
`make_empty_primary` gives a slot somewhere new to go.
"""

from __future__ import annotations

from typing import Any

from redislua.server import Cluster, ClusterNode
from redislua.server.node import await_agreement

_BATCH = 100
_TIMEOUT = 5000  # milliseconds for one MIGRATE


def begin(cluster: Cluster, slot: int, source: ClusterNode, target: ClusterNode) -> None:
    """Open the slot's move: the target imports, the source migrates.

    Raises:
        ValueError: ``source`` does not serve the slot, or is the target.
    """
    if cluster.owner(slot) is not source or source is target:
        raise ValueError(f"slot {slot} does not move from {source} to {target}")
    # In this order: the source sends clients on as soon as it migrates.
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id)


def move_keys(
    slot: int, source: ClusterNode, target: ClusterNode, *, limit: int | None = None
) -> int:
    """Send keys of an open slot from ``source`` to ``target``; return how many.

    Args:
        slot: The slot.
        source: Who has the keys.
        target: Who gets them.
        limit: Stop after so many; None moves all that are there.
    """
    moved = 0
    while limit is None or moved < limit:
        size = _BATCH if limit is None else min(_BATCH, limit - moved)
        keys: Any = source.ask("CLUSTER GETKEYSINSLOT", slot, size)
        if not keys:
            break
        where = (target.host, target.port, "", 0, _TIMEOUT)
        source.ask("MIGRATE", *where, "KEYS", *keys)
        moved += len(keys)
    return moved


def finish(cluster: Cluster, slot: int, source: ClusterNode, target: ClusterNode) -> None:
    """Give the slot to ``target``, and wait until every node knows.

    Raises:
        redis.ResponseError: ``source`` still has keys of the slot.
    """
    # The target first: were it the last, the slot would belong to nobody in between.
    others = [node for node in cluster.primaries() if node not in (source, target)]
    for node in (target, source, *others):
        node.ask("CLUSTER SETSLOT", slot, "NODE", target.id)
    cluster.await_ready()


def abandon(cluster: Cluster, slot: int, source: ClusterNode, target: ClusterNode) -> None:
    """Take an open move back: keys that have moved return, and the source keeps the slot.

    For a moment the source answers nil for those keys: not for tests that read meanwhile.
    """
    # The source first: while it migrates, it sends back what the target returns (ASK).
    source.ask("CLUSTER SETSLOT", slot, "STABLE")
    move_keys(slot, target, source)
    target.ask("CLUSTER SETSLOT", slot, "STABLE")
    cluster.await_ready()


def move(cluster: Cluster, slot: int, target: ClusterNode) -> int:
    """Move a slot and its keys to ``target``; return how many keys moved.

    Keys that clients write meanwhile move too. Nothing is done when ``target`` has the
    slot already.
    """
    source = cluster.owner(slot)
    if source is target:
        return 0
    begin(cluster, slot, source, target)
    moved = move_keys(slot, source, target)
    finish(cluster, slot, source, target)
    return moved


def make_empty_primary(cluster: Cluster, replica: ClusterNode) -> None:
    """Have a replica forget whose it was and join again, as a new node does: with no slot.

    It returns once every node knows it and it takes keys: a primary refuses them, with
    CLUSTERDOWN, for as long as ``cluster-node-timeout`` after it has met the others.

    Raises:
        ServerUnavailable: It does not come to that.
    """
    replica.ask("CLUSTER RESET", "SOFT")
    other = next(node for node in cluster.nodes if node is not replica)
    replica.ask("CLUSTER MEET", other.host, other.port)
    await_agreement(repr(cluster), lambda: _doubt_about(cluster, replica))


def _doubt_about(cluster: Cluster, newcomer: ClusterNode) -> str | None:
    """Say who does not take a node for a primary yet, or that it does not take keys."""
    for node in cluster.nodes:
        said: Any = node.ask("CLUSTER INFO")
        if said["cluster_state"] != "ok":
            return f"{node} says cluster_state:{said['cluster_state']}"
        members: Any = node.ask("CLUSTER NODES")
        flags = [one["flags"] for one in members.values() if one["node_id"] == newcomer.id]
        if len(members) != len(cluster.nodes) or not any("master" in one for one in flags):
            return f"{node} does not know {newcomer} as a primary"
    return None
