"""A primary, its replicas and the sentinels that watch them, as plain processes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import redis

from redislua.errors import ServerUnavailable
from redislua.server import node as nodes_of
from redislua.server.node import Node, Program
from redislua.server.running import Running, arguments

_DEFAULTS = {
    "hz": "100",
    "repl-diskless-sync-delay": "0",
    # What a replica was sent stays in no file, or it would be there after a restart.
    "rdb-del-sync-files": "yes",
}
_DECIDED = frozenset(["replicaof", "slaveof", "cluster-enabled", "sentinel"])
_NAME = re.compile(r"[A-Za-z0-9._-]+")  # what Sentinel admits
_DOWN_AFTER = 500
"""Milliseconds without an answer after which a sentinel counts a server as down."""
_FAILOVER_TIMEOUT = 2000
"""Milliseconds after which a failover that got stuck is tried again."""


_TEMPO = {"PING-PERIOD": 250, "INFO-PERIOD": 300, "PUBLISH-PERIOD": 500}
"""Milliseconds between a sentinel's signs of life, looks at a server and greetings.

Its own pace is 1000, 10 000 and 2000: half a minute to notice that a dead primary is back.
A new primary is not even connected to for a ping period, which must be less than
`_DOWN_AFTER`, or each failover is followed by another one. Five ping periods must be more
than the second between two looks at the replicas of a primary that is down, or none is good.
"""


class Sentinel(Node):
    """One sentinel."""

    def await_answer(self) -> None:
        """Wait until the sentinel answers, and set its pace, which no file keeps."""
        super().await_answer()
        words = [word for name, pace in _TEMPO.items() for word in (name, pace)]
        self.ask("SENTINEL DEBUG", *words)


class SentinelSet(Running):
    """A running set. A context manager: leaving the block stops it.

    Attributes:
        kind: What was asked for, ``embedded``.
        url: ``redis+sentinel://127.0.0.1:10001,127.0.0.1:10002/mymaster``: the sentinels.
        version: Product and version, ``Valkey 9.1.2`` or ``Redis 8.2.3``.
        name: What the sentinels call the primary.
        nodes: The servers that hold the data. At first the primary comes before its
            replicas; who is what later, `primary` finds out.
        watchers: The sentinels themselves, which can be killed and restarted too.
    """

    __slots__ = ("name", "nodes", "watchers")

    def __init__(self, of: Program, name: str, nodes: list[Node], watchers: list[Sentinel]) -> None:
        self.name = name
        self.nodes = tuple(nodes)
        self.watchers = tuple(watchers)
        places = ",".join(f"{one.host}:{one.port}" for one in watchers)
        super().__init__(
            of.kind,
            f"redis+sentinel://{places}/{name}",
            of.version,
            # The sentinels first, or they see everyone die.
            lambda: nodes_of.stop_all([*watchers, *nodes]),
        )

    @property
    def sentinels(self) -> list[tuple[str, int]]:
        """``(host, port)`` of every sentinel, as redis-py's ``Sentinel`` takes them."""
        return [one.address for one in self.watchers]

    def primary(self) -> Node:
        """Ask the sentinels who the primary is; most of those that answer decide.

        Raises:
            ServerUnavailable: No sentinel answers, or they name a server that is not ours.
        """
        told = self._told()
        if not told:
            raise ServerUnavailable(f"{self!r}: no sentinel answers")
        [(address, _)] = Counter(told).most_common(1)
        for one in self.nodes:
            if one.address == address:
                return one
        raise ServerUnavailable(f"{self!r}: the sentinels name {address} as the primary")

    def replicas(self) -> list[Node]:
        """Return every server but the `primary`."""
        primary = self.primary()
        return [one for one in self.nodes if one is not primary]

    def failover(self) -> Node:
        """Let the sentinels replace the primary as planned, and return the new one.

        Returns once all sentinels know it and the old primary is its replica, in sync.

        Raises:
            ServerUnavailable: The set was not in order, or is not after the deadline.
        """
        self.await_ready()
        old = self.primary()
        nodes_of.await_agreement(repr(self), self._begin_failover)
        nodes_of.await_agreement(repr(self), lambda: self._still_names(old))
        self.await_ready()
        return self.primary()

    def await_ready(self) -> None:
        """Wait until nothing is wrong with the set, as `problem` finds out.

        Raises:
            ServerUnavailable: Something still is after `node.SETTLE_DEADLINE`.
        """
        nodes_of.await_agreement(repr(self), self._problem)

    def problem(self) -> str | None:
        """Say in words what is wrong now, or None.

        In order means: every server and sentinel runs; all sentinels name the same
        primary, know each other and all replicas, and count nobody as down; the servers
        agree about their roles; a write reaches all replicas.
        """
        return nodes_of.spoken(self._problem)

    def _problem(self) -> str | None:
        for one in (*self.nodes, *self.watchers):
            if not one.can_answer:
                return f"{one} does not run"
        told = self._told()
        if len(told) < len(self.watchers) or len(set(told)) > 1:
            return f"the sentinels name {sorted(set(told))} as the primary"
        primary = self.primary()
        for one in self.watchers:
            found = self._doubt_of(one)
            if found is not None:
                return found
        for one in self.nodes:
            found = _wrong_role(one, primary)
            if found is not None:
                return found
        return nodes_of.unsynchronised(primary, len(self.nodes) - 1, "redislua:in-sync")

    def _doubt_of(self, watcher: Node) -> str | None:
        """Say what one sentinel finds wrong, or has not found out yet."""
        seen: Any = watcher.ask("SENTINEL MASTER", self.name)
        expected = (len(self.watchers) - 1, len(self.nodes) - 1)
        known = (int(seen["num-other-sentinels"]), int(seen["num-slaves"]))
        if known != expected:
            return (
                f"sentinel {watcher} knows {known[0]} of {expected[0]} other sentinels and "
                f"{known[1]} of {expected[1]} replicas"
            )
        if seen["flags"] != "master":
            return f"sentinel {watcher} counts the primary as {seen['flags']}"
        replicas: Any = watcher.ask("SENTINEL SLAVES", self.name)
        for one in replicas:
            if one["flags"] != "slave" or one["master-link-status"] != "ok":
                link = one["master-link-status"]
                return f"sentinel {watcher} counts {one['name']} as {one['flags']}, link {link}"
        return None

    def _told(self) -> list[tuple[str, int]]:
        """Return the primary's address as each sentinel that answers tells it."""
        told = []
        for one in self.watchers:
            if one.can_answer:
                try:
                    answer: Any = one.ask("SENTINEL GET-MASTER-ADDR-BY-NAME", self.name)
                except redis.RedisError:  # still starting: the others know
                    continue
                told.append((str(answer[0]), int(answer[1])))
        return told

    def _begin_failover(self) -> str | None:
        """Order a failover, which a sentinel refuses while it knows no good replica."""
        self.watchers[0].ask("SENTINEL FAILOVER", self.name)
        return None

    def _still_names(self, old: Node) -> str | None:
        named = [address for address in self._told() if address == old.address]
        return f"{len(named)} sentinels still name {old} as the primary" if named else None


def start(
    kind: str = "embedded",
    *,
    replicas: int = 1,
    sentinels: int = 3,
    name: str = "mymaster",
    config: Mapping[str, str] | None = None,
) -> SentinelSet:
    """Start a primary, replicas and sentinels, and return once all know each other.

    It takes about a second: sentinels have to greet each other.

    Args:
        kind: ``embedded`` or ``binary:/path/to/redis-server``; not a container. The
            sentinels are the same binary.
        replicas: How many replicas the primary has.
        sentinels: How many sentinels watch. More than half of them decide.
        name: What the sentinels call the primary.
        config: Options of the servers that hold data, as in redis.conf. The sentinels
            have their own.

    Raises:
        ServerUnavailable: The kind is unknown or is not to be had here, or the processes
            do not come to an agreement.
        ValueError: There would be fewer than no replicas, or no sentinel; ``name`` has
            characters that Sentinel refuses; or ``config`` sets an option that this
            function decides.
    """
    if replicas < 0:
        raise ValueError(f"replicas={replicas}: give the number of the primary's replicas")
    if sentinels < 1:
        raise ValueError(f"sentinels={sentinels}: at least one must watch")
    if not _NAME.fullmatch(name):
        raise ValueError(f"name={name!r}: use letters, digits, '.', '-' and '_'")
    options = arguments(config or {}, defaults=_DEFAULTS, decided=_DECIDED, by="start_sentinel")
    of = nodes_of.program(kind, "Sentinel set")
    nodes: list[Node] = []
    try:
        nodes += nodes_of.start_all(1, lambda: Node(of, options))
        follow = [f"replicaof {nodes[0].host} {nodes[0].port}"]
        nodes += nodes_of.start_all(replicas, lambda: Node(of, options, follow))
        orders = _orders(name, nodes[0], sentinels)
        watchers = nodes_of.start_all(sentinels, lambda: Sentinel(of, ["--sentinel"], orders))
    except BaseException:
        nodes_of.stop_all(nodes)
        raise
    opened = SentinelSet(of, name, nodes, watchers)
    try:
        opened.await_ready()
    except BaseException:
        opened.stop()
        raise
    return opened


def _orders(name: str, primary: Node, sentinels: int) -> list[str]:
    """Return a sentinel's configuration file, which it goes on writing itself."""
    return [
        f"sentinel monitor {name} {primary.host} {primary.port} {sentinels // 2 + 1}",
        f"sentinel down-after-milliseconds {name} {_DOWN_AFTER}",
        f"sentinel failover-timeout {name} {_FAILOVER_TIMEOUT}",
    ]


def _wrong_role(node: Node, primary: Node) -> str | None:
    """Say how a server's own idea of its role differs from the sentinels', or None."""
    role: Any = node.ask("ROLE")
    expected = ["master"] if node is primary else ["slave", primary.host, primary.port]
    told = list(role[: len(expected)])
    if told != expected:
        return f"{node} counts itself as {told}, the sentinels as {expected}"
    return None
