"""What a call runs on: one server, or a cluster. A test body need not know which."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from redislua.server import Cluster, Server
from redislua.server.node import Node
from tests.faults.samples import BESIDE, KEY
from tests.runtime.proxy import Proxy
from tests.surfaces import seeds


class Ground:
    """One server, or a cluster, and administrators' clients of its nodes.

    Attributes:
        server: What it is.
        is_cluster: Which.
        nodes: A client of each node.
        at: Host and port of the node that serves the samples' keys, as of the last `empty`.
    """

    def __init__(self, server: Server | Cluster | Node) -> None:
        self.server = server
        self.is_cluster = isinstance(server, Cluster)
        if isinstance(server, Cluster):
            addresses = server.addresses
        else:
            parts = urlsplit(server.url)
            addresses = [(parts.hostname or "", parts.port or 0)]
        self._by_address = {one: admin(one) for one in addresses}
        self.nodes = list(self._by_address.values())
        self.at = self._home()

    def _home(self) -> tuple[str, int]:
        if isinstance(self.server, Cluster):
            return self.server.owner(KEY).address
        return next(iter(self._by_address))

    @property
    def home(self) -> redis.Redis:
        """A client of the node that serves the samples' keys."""
        return self._by_address[self.at]

    @property
    def is_redis_7_0(self) -> bool:
        """Whether it is of the oldest supported version: Valkey calls itself Redis 7.2."""
        return str(self.home.info("server")["redis_version"]).startswith("7.0.")

    def close(self) -> None:
        """Close the administrators' clients."""
        for node in self.nodes:
            node.close()

    def client_of(self, node: Node) -> redis.Redis:
        """The administrator's client of one node."""
        return self._by_address[node.address]

    def owner_of(self, key: str) -> tuple[str, int]:
        """Host and port of the node that serves a key."""
        assert isinstance(self.server, Cluster)
        return self.server.owner(key).address

    def open(self, is_async: bool, *, through: Proxy | None = None, **options: Any) -> Any:
        """A client of a user: of the whole cluster, or of the one server.

        Args:
            is_async: Its kind.
            through: What lies between it and the home node.
            options: Of the client.
        """
        package: Any = redis.asyncio if is_async else redis
        if not isinstance(self.server, Cluster):
            host, port = self.at if through is None else ("127.0.0.1", through.port)
            return package.Redis(host=host, port=port, **options)
        if through is not None:
            home, detour = self.at, ("127.0.0.1", through.port)
            options["address_remap"] = lambda one: detour if one == home else one
        nodes = seeds(self.server.addresses, is_async=is_async)
        return package.RedisCluster(startup_nodes=nodes, **options)

    def await_listed(self, replica: Node) -> None:
        """Wait until every node lists a replica: while it has heard of no data there, it does not.

        A client that asks before reads from the primary alone.
        """
        wait_until(lambda: all(replica.port in _listed(node) for node in self.nodes))

    def empty(self) -> None:
        """Remove all data, and the scripts from every node."""
        self.at = self._home()
        for node in self.nodes:
            if node.info("replication")["role"] == "master":
                node.flushall()
            node.script_flush()

    def executions(self, key: bytes = KEY) -> int:
        """How often the call in question was executed."""
        return int(self.home.get(key) or 0)

    def executions_beside(self) -> int:
        """How often those that travel with it were."""
        return self.executions(BESIDE)

    @contextlib.contextmanager
    def configured(self, **settings: str) -> Iterator[None]:
        """Settings of the home node, for a while; underscores stand for hyphens."""
        names = {name.replace("_", "-"): value for name, value in settings.items()}
        before = {name: str(self.home.config_get(name)[name]) for name in names}
        for name, value in names.items():
            self.home.config_set(name, value)
        try:
            yield
        finally:
            for name, value in reversed(before.items()):
                self.home.config_set(name, value)

    @contextlib.contextmanager
    def user(self, *rules: str) -> Iterator[dict[str, Any]]:
        """A user on every node, for a while; what is given opens a client as that user."""
        self.grant("reset", "on", ">secret", "~*", *rules)
        try:
            yield {"username": "app", "password": "secret"}
        finally:
            for node in self.nodes:
                node.acl_deluser("app")
                node.acl_log_reset()

    def grant(self, *rules: str) -> None:
        """Change the rights of that user."""
        for node in self.nodes:
            node.execute_command("ACL", "SETUSER", "app", *rules)

    def cut_all(self) -> None:
        """Close every client's connection but the administrator's own."""
        for node in self.nodes:
            node.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def calls(self, command: str, nodes: list[redis.Redis] | None = None) -> int:
        """How often nodes were sent a command since their statistics were reset."""
        return sum(
            int(node.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])
            for node in (nodes or self.nodes)
        )


def admin(address: tuple[str, int]) -> redis.Redis:
    """A client of one node, which decodes replies and repeats nothing."""
    host, port = address
    return redis.Redis(host=host, port=port, decode_responses=True, retry=Retry(NoBackoff(), 0))


def _listed(node: redis.Redis) -> set[int]:
    """Ports of the replicas that a node names to clients."""
    slots: Any = node.execute_command("CLUSTER SLOTS")
    return {replica[1] for _, _, _, *replicas in slots for replica in replicas}


def wait_until(condition: Callable[[], Any]) -> None:
    """Wait for a server's state; the limit only ends a test that would hang."""
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.002)
