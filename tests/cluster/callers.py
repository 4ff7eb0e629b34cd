"""Cluster clients of both kinds and both libraries, calls on them, and what the nodes saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import ModuleType, TracebackType
from typing import Any, Self

import redis
import redis.asyncio
import valkey
import valkey.asyncio

from redislua.runtime import Call, RetryClass
from redislua.server import Cluster, Node
from tests.cluster.plans import key_of
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import script

_SEEDS: Mapping[tuple[str, bool], Any] = {
    ("redis", False): redis.cluster.ClusterNode,
    ("redis", True): redis.asyncio.cluster.ClusterNode,
    ("valkey", False): valkey.cluster.ClusterNode,
    ("valkey", True): valkey.asyncio.cluster.ClusterNode,
}
_CLIENTS: Mapping[tuple[str, bool], Any] = {
    ("redis", False): redis.RedisCluster,
    ("redis", True): redis.asyncio.RedisCluster,
    ("valkey", False): valkey.ValkeyCluster,
    ("valkey", True): valkey.asyncio.ValkeyCluster,
}


class ClusterCaller(Caller):
    """Opens cluster clients of one kind and runs calls on them."""

    def open_cluster(
        self,
        servers: Cluster | Sequence[tuple[str, int]],
        *,
        library: ModuleType = redis,
        **options: Any,
    ) -> Any:
        """A client with its library's defaults, which is closed at the end."""
        return self.keep(self.make_cluster(servers, library=library, **options))

    def make_cluster(
        self,
        servers: Cluster | Sequence[tuple[str, int]],
        *,
        library: ModuleType = redis,
        **options: Any,
    ) -> Any:
        """The same, which the test closes or loses."""
        which = (library.__name__, self.is_async)
        places = servers.addresses if isinstance(servers, Cluster) else servers
        seeds = [_SEEDS[which](host, port) for host, port in places]
        return _CLIENTS[which](startup_nodes=seeds, **options)


class Proxies:
    """A faulty network before each node of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._stack = ExitStack()
        self._by_address = {address: Proxy(*address) for address in cluster.addresses}

    def __enter__(self) -> Self:
        for proxy in self._by_address.values():
            self._stack.enter_context(proxy)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def before(self, node: Node) -> Proxy:
        """The one before a node."""
        return self._by_address[node.address]

    def remap(self, address: tuple[str, int]) -> tuple[str, int]:
        """A client's ``address_remap``: every node is reached through its proxy."""
        return "127.0.0.1", self._by_address[address].port

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where the nodes are reached."""
        return [self.remap(address) for address in self._by_address]


# --- calls -----------------------------------------------------------------------------------


def incr(
    key: bytes, retry: RetryClass = "never", *, more: Sequence[bytes] = (), marker: bytes = b""
) -> Call[int]:
    """A call that counts its own executions on a key; its reply is the count."""
    made = script("return redis.call('INCR', KEYS[1])", retry=retry)
    return Call(made, (key, *more), (marker,), decode=int)


def get(key: bytes) -> Call[Any]:
    """A call that reads a key, and that a replica may run."""
    made = script("return redis.call('GET', KEYS[1])", flags=" flags=no-writes", retry="safe")
    return Call(made, (key,), (), decode=lambda reply: reply)


def keys(number: int) -> list[bytes]:
    """Keys in as many slots, spread evenly over all of them."""
    return [key_of(16384 * place // number) for place in range(number)]


def keys_on(cluster: Cluster, node: Node, number: int) -> list[bytes]:
    """Keys in as many slots of one primary."""
    some = (key_of(slot) for slot in range(0, 16384, 64) if cluster.owner(slot) is node)
    return [key for key, _ in zip(some, range(number), strict=False)]


# --- what nodes saw --------------------------------------------------------------------------


def forget_stats(nodes: Iterable[Node]) -> None:
    """Begin to count commands anew."""
    for node in nodes:
        node.ask("CONFIG RESETSTAT")


def commands_of(node: Node) -> dict[str, int]:
    """How often each command was executed there since, ``{"evalsha": 3, "script|load": 1}``."""
    stats: Any = node.ask("INFO", "commandstats")
    return {name.removeprefix("cmdstat_"): said["calls"] for name, said in stats.items()}


def seen(nodes: Iterable[Node], command: str) -> list[int]:
    """How often each node executed a command."""
    return [commands_of(node).get(command, 0) for node in nodes]


def refused(nodes: Iterable[Node], command: str) -> list[int]:
    """How often each node refused a command before executing it."""
    stats: list[Any] = [node.ask("INFO", "commandstats") for node in nodes]
    return [said.get(f"cmdstat_{command}", {}).get("rejected_calls", 0) for said in stats]


def connections(nodes: Iterable[Node], name: str) -> list[int]:
    """How many connections of that client name each node has."""
    counts = []
    for node in nodes:
        clients: Any = node.ask("CLIENT LIST")
        counts.append(sum(one["name"] == name for one in clients))
    return counts
