"""Moving a slot between two primaries of a running cluster, step by step.

``move`` does it all. The steps apart hold the cluster in the states between: after
`begin` the source answers ASK for keys that it lacks, after `move_keys` the target has
them and serves them after ASKING alone, after `finish` everybody answers MOVED.
"""

from __future__ import annotations

from typing import Any

from redislua.server import Cluster, ClusterNode

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
