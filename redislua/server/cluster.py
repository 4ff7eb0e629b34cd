"""A Redis Cluster of plain processes on loopback ports."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from redislua.errors import ServerUnavailable
from redislua.server import node as nodes_of
from redislua.server.node import Node, Program
from redislua.server.ports import BUS
from redislua.server.running import Running, arguments

_DEFAULTS = {
    "cluster-node-timeout": "1000",
    # One dead primary must not stop the others.
    "cluster-require-full-coverage": "no",
    # Any replica may take over, however long it heard nothing.
    "cluster-replica-validity-factor": "0",
    "hz": "100",
    "repl-diskless-sync-delay": "0",
    # What a replica was sent stays in no file, or it would be there after a restart.
    "rdb-del-sync-files": "yes",
}
_DECIDED = frozenset(
    [
        "cluster-enabled",
        "cluster-config-file",
        "cluster-port",
        "cluster-announce-ip",
        "cluster-announce-port",
        "cluster-announce-bus-port",
        "cluster-announce-tls-port",
        "tls-cluster",
        "replicaof",
        "slaveof",
    ]
)


class ClusterNode(Node):
    """One node of a cluster.

    Attributes:
        id: The cluster's name of it, 40 hexadecimal digits; the same after a restart.
    """

    id = ""


class Member(NamedTuple):
    """What one node says of another, or of itself.

    Attributes:
        id: Its node id.
        flags: ``master``, ``slave``, ``myself``, ``fail``, ``fail?``, ``handshake``, …
        primary: The node id of the primary that it replicates, or None.
        slots: Slots that it serves.
        is_migrating: Whether one of its own slots is on the move; only it says so.
    """

    id: str
    flags: frozenset[str]
    primary: str | None
    slots: frozenset[int]
    is_migrating: bool

    @classmethod
    def read(cls, line: str) -> Self:
        """Read one line of CLUSTER NODES."""
        name, _, flags, primary, _, _, _, _, *ranges = line.split()
        slots: set[int] = set()
        for one in ranges:
            if not one.startswith("["):
                first, _, last = one.partition("-")
                slots.update(range(int(first), int(last or first) + 1))
        return cls(
            name,
            frozenset(flags.split(",")),
            None if primary == "-" else primary,
            frozenset(slots),
            any(one.startswith("[") for one in ranges),
        )


class Cluster(Running):
    """A running cluster. A context manager: leaving the block stops it.

    Attributes:
        kind: What was asked for, ``embedded``.
        url: ``redis+cluster://127.0.0.1:10001,127.0.0.1:10002/0``, with every node.
        version: Product and version, ``Valkey 9.1.2`` or ``Redis 8.2.3``.
        nodes: All nodes. At first the primaries come before their replicas; who is
            what later, `primaries` and `replicas_of` find out.
    """

    __slots__ = ("_replicas", "nodes")

    def __init__(self, of: Program, nodes: list[ClusterNode], replicas: int) -> None:
        self.nodes = tuple(nodes)
        self._replicas = replicas
        places = ",".join(f"{node.host}:{node.port}" for node in nodes)
        super().__init__(
            of.kind, f"redis+cluster://{places}/0", of.version, lambda: nodes_of.stop_all(nodes)
        )

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """``(host, port)`` of every node."""
        return [node.address for node in self.nodes]

    def primaries(self) -> list[ClusterNode]:
        """Ask the nodes which of them serve slots and do not count as failed.

        Raises:
            ServerUnavailable: No node answers.
        """
        serving = {one.id for one in self._members() if one.slots and not _is_failing(one)}
        return [node for node in self.nodes if node.id in serving]

    def replicas_of(self, primary: ClusterNode) -> list[ClusterNode]:
        """Ask the nodes which of them replicate ``primary`` and do not count as failed.

        Raises:
            ServerUnavailable: No node answers.
        """
        replicas = {
            one.id for one in self._members() if one.primary == primary.id and not _is_failing(one)
        }
        return [node for node in self.nodes if node.id in replicas]

    def owner(self, of: str | bytes | int) -> ClusterNode:
        """Ask the nodes whose a key is, or a slot given by its number.

        A primary that has died owns its slots until a replica has taken its place.

        Raises:
            ServerUnavailable: No node answers, or nobody owns the slot.
        """
        slot = of if isinstance(of, int) else key_slot(of.encode() if isinstance(of, str) else of)
        for one in self._members():
            if slot in one.slots:
                return next(node for node in self.nodes if node.id == one.id)
        raise ServerUnavailable(f"{self!r}: nobody owns slot {slot}")

    def await_ready(self) -> None:
        """Wait until nothing is wrong with the cluster, as `problem` finds out.

        Raises:
            ServerUnavailable: Something still is after `node.SETTLE_DEADLINE`.
        """
        nodes_of.await_agreement(repr(self), self._problem)

    def problem(self) -> str | None:
        """Say in words what is wrong now, or None.

        In order means: every node runs, says ``cluster_state:ok`` and sees all slots
        served, none of them on the move; the number of primaries and of each one's
        replicas is what it was at the start; a write reaches all replicas.
        """
        return nodes_of.spoken(self._problem)

    def _problem(self) -> str | None:
        for node in self.nodes:
            if not node.can_answer:
                return f"{node} does not run"
        for node in self.nodes:
            found = _doubt_of(node, len(self.nodes))
            if found is not None:
                return found
        views = [_view_of(node) for node in self.nodes]
        return _disagreement(views) or self._imbalance(views[0])

    def _imbalance(self, view: list[Member]) -> str | None:
        """Find a primary that has lost a replica, or whose replicas lag."""
        serving = [one for one in view if one.slots]
        expected = len(self.nodes) // (1 + self._replicas)
        if len(serving) != expected:
            return f"{len(serving)} primaries serve slots, not {expected}"
        for one in serving:
            replicas = sum(other.primary == one.id for other in view)
            node = next(node for node in self.nodes if node.id == one.id)
            if replicas != self._replicas:
                return f"{node} has {replicas} replicas, not {self._replicas}"
            found = nodes_of.unsynchronised(node, replicas, _key_in(one.slots))
            if found is not None:
                return found
        return None

    def _members(self) -> list[Member]:
        """Return what most nodes say: one that has just come back says what once was."""
        views = []
        for node in self.nodes:
            if node.can_answer:
                with contextlib.suppress(redis.RedisError):  # still starting: the others know
                    views.append(_view_of(node))
        if not views:
            raise ServerUnavailable(f"{self!r}: no node answers")
        told = [_service(view) for view in views]
        return views[max(range(len(views)), key=lambda place: told.count(told[place]))]


def start(
    kind: str = "embedded",
    *,
    primaries: int = 3,
    replicas: int = 1,
    config: Mapping[str, str] | None = None,
) -> Cluster:
    """Start a cluster and return once every node serves and every replica is in sync.

    It takes about two seconds: a primary keeps its peace that long after it has started.

    Args:
        kind: ``embedded`` or ``binary:/path/to/redis-server``; not a container.
        primaries: How many primaries share the slots. From three on, the others can
            replace one that has died.
        replicas: How many replicas each primary has.
        config: Options of every node, as in redis.conf, ``{"maxmemory": "10mb"}``.

    Raises:
        ServerUnavailable: The kind is unknown or is not to be had here, or the nodes do
            not come to an agreement.
        ValueError: There would be no primary, or fewer than no replicas, or ``config``
            sets an option that this function decides.
    """
    if not 1 <= primaries <= SLOTS:
        raise ValueError(f"primaries={primaries}: a cluster has at least one")
    if replicas < 0:
        raise ValueError(f"replicas={replicas}: give the number of each primary's replicas")
    options = arguments(config or {}, defaults=_DEFAULTS, decided=_DECIDED, by="start_cluster")
    of = nodes_of.program(kind, "cluster")
    words = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", *options]
    nodes = nodes_of.start_all(primaries * (1 + replicas), lambda: ClusterNode(of, words))
    cluster = Cluster(of, nodes, replicas)
    try:
        _introduce(nodes, primaries)
        _assign_replicas(nodes, primaries)
        cluster.await_ready()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _introduce(nodes: list[ClusterNode], primaries: int) -> None:
    """Deal out the slots and let every node meet every other."""
    for place, node in enumerate(nodes):
        node.id = node.ask("CLUSTER MYID")
        # Distinct from the start: else the nodes find out that they clash, and wait.
        node.ask("CLUSTER SET-CONFIG-EPOCH", place + 1)
        if place < primaries:
            first, end = (SLOTS * edge // primaries for edge in (place, place + 1))
            node.ask("CLUSTER ADDSLOTSRANGE", first, end - 1)
    for one, other in itertools.combinations(nodes, 2):
        one.ask("CLUSTER MEET", other.host, other.port, other.port + BUS)
    nodes_of.await_agreement("a new cluster", lambda: _strangers(nodes))


def _strangers(nodes: list[ClusterNode]) -> str | None:
    names = {node.id for node in nodes}
    for node in nodes:
        known = {one.id for one in _view_of(node) if "handshake" not in one.flags}
        if known != names:
            return f"{node} knows {len(known)} of {len(names)} nodes"
    return None


def _assign_replicas(nodes: list[ClusterNode], primaries: int) -> None:
    for place, node in enumerate(nodes[primaries:]):
        node.ask("CLUSTER REPLICATE", nodes[place % primaries].id)


def _view_of(node: Node) -> list[Member]:
    with node.connected() as client:
        # As the server wrote it: redis-py's reading loses which slots are on the move.
        client.response_callbacks.clear()
        execute: Any = client.execute_command
        lines: list[str] = execute("CLUSTER NODES").splitlines()
    return [Member.read(line) for line in lines if line]


def _doubt_of(node: Node, expected: int) -> str | None:
    """Say what a node itself finds wrong with the cluster, or None."""
    said: Any = node.ask("CLUSTER INFO")
    if said["cluster_state"] != "ok" or said["cluster_slots_ok"] != str(SLOTS):
        return (
            f"{node} says cluster_state:{said['cluster_state']} "
            f"cluster_slots_ok:{said['cluster_slots_ok']}"
        )
    if said["cluster_known_nodes"] != str(expected):
        return f"{node} knows {said['cluster_known_nodes']} of {expected} nodes"
    return None


def _disagreement(views: list[list[Member]]) -> str | None:
    """Find what the nodes do not see alike."""
    for view in views:
        for one in view:
            if one.is_migrating:
                return f"node {one.id} has a slot on the move"
            if _is_failing(one) or "handshake" in one.flags:
                return f"node {one.id} counts as {','.join(sorted(one.flags))}"
    told = [_service(view) for view in views]
    if any(one != told[0] for one in told):
        return "the nodes do not agree who serves what"
    return None


def _service(view: list[Member]) -> frozenset[tuple[object, ...]]:
    """Return what a view says of who serves what, without what is the viewer's own."""
    return frozenset((one.id, one.primary, one.slots, _is_failing(one)) for one in view)


def _is_failing(one: Member) -> bool:
    return not one.flags.isdisjoint(("fail", "fail?", "noaddr"))


def _key_in(slots: frozenset[int]) -> str:
    """Return a key that lies in one of ``slots``."""
    names = (f"redislua:in-sync:{number}" for number in itertools.count())
    return next(name for name in names if key_slot(name.encode()) in slots)
