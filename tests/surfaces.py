"""The ways of calling a script from Python, which all must give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeVar

import redis
import redis.asyncio
from redis.asyncio.cluster import ClusterNode as AsyncSeed
from redis.cluster import ClusterNode as Seed

from redislua.runtime import Call, arun, arun_many, run, run_many
from redislua.server import Cluster, Server

T = TypeVar("T")


class Way(NamedTuple):
    """One combination of what a caller may choose."""

    is_async: bool
    protocol: int
    decoded: bool
    is_cluster: bool = False

    def __str__(self) -> str:
        words = (
            "asyncio" if self.is_async else "blocking",
            f"resp{self.protocol}",
            "decoded" if self.decoded else "bytes",
        )
        return "-".join((*words, "cluster") if self.is_cluster else words)


SINGLE = tuple(Way(*choice) for choice in product((False, True), (2, 3), (False, True)))

# Two meet every choice once: what a choice changes in a connection, the eight above show.
CLUSTER = (Way(False, 3, False, is_cluster=True), Way(True, 2, True, is_cluster=True))

WAYS = SINGLE + CLUSTER


class Surface:
    """A client of one way, and how to call a script on it.

    Attributes:
        way: What was chosen.
        client: A client of redis-py, of the kind that the way says; asyncio ones live in
            the session's one event loop, which `wait` runs.
    """

    def __init__(self, way: Way, servers: Server | Cluster, runner: asyncio.Runner) -> None:
        self.way = way
        self.client: Any = _client(way, servers)
        self._runner = runner

    def call(self, call: Call[T], **options: Any) -> T:
        """Run a call and return its reply; options go to `redislua.runtime.run`."""
        if self.way.is_async:
            return self.wait(arun(self.client, call, **options))
        return run(self.client, call, **options)

    def call_many(self, *calls: Call[Any], **options: Any) -> tuple[Any, ...]:
        """Run a batch and return its replies; options go to `redislua.runtime.run_many`."""
        if self.way.is_async:
            done: tuple[Any, ...] = self.wait(arun_many(self.client, *calls, **options))
            return done
        return run_many(self.client, *calls, **options)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop that the asyncio client lives in."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """Close the client."""
        if self.way.is_async:
            self.wait(self.client.aclose())
        else:
            self.client.close()


class WholeCluster(redis.RedisCluster):
    """A client that counts and lists the keys of all primaries: redis-py asks one of them."""

    def dbsize(self, **options: Any) -> Any:
        """Count the keys of the cluster."""
        return super().dbsize(target_nodes=self.PRIMARIES, **options)

    def keys(self, pattern: Any = "*", **options: Any) -> Any:
        """List the keys of the cluster."""
        return super().keys(pattern, target_nodes=self.PRIMARIES, **options)

    def primaries(self) -> list[redis.Redis]:
        """A client of each primary."""
        return [self.get_redis_connection(node) for node in self.get_primaries()]


def seeds(addresses: Sequence[tuple[str, int]], *, is_async: bool = False) -> list[Any]:
    """What redis-py's cluster clients take as ``startup_nodes``."""
    seed: Any = AsyncSeed if is_async else Seed
    return [seed(host, port) for host, port in addresses]


def _client(way: Way, servers: Server | Cluster) -> Any:
    options: dict[str, Any] = {"protocol": way.protocol, "decode_responses": way.decoded}
    package: Any = redis.asyncio if way.is_async else redis
    if not isinstance(servers, Cluster):
        return package.Redis.from_url(servers.url, **options)
    nodes = seeds(servers.addresses, is_async=way.is_async)
    return package.RedisCluster(startup_nodes=nodes, **options)
