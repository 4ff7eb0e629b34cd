"""Clusters and Sentinel sets for tests, shared ones always in order; faulty networks.

The shared one is started once for each server that the suite runs on. It is looked at
before and after each test that asks for it; what a test leaves broken is replaced by a
fresh one, so that the next test starts from the same state as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import pytest
import redis

from redislua.server import (
    Cluster,
    Node,
    SentinelSet,
    Server,
    start,
    start_cluster,
    start_sentinel,
)
from tests.runtime.proxy import Proxy

Shared = TypeVar("Shared", Cluster, SentinelSet)

_VOLATILE = frozenset(["replicaof", "slaveof", "replica-announced"])
"""What CONFIG GET says of a server's role, which a failover may change."""


class OfSession(Generic[Shared]):
    """The one cluster, or Sentinel set, of the session: replaced when it is broken.

    Attributes:
        replaced: Why each earlier one was given up.
    """

    def __init__(self, start: Callable[[], Shared]) -> None:
        self._start: Callable[[], Shared] = start
        self._current: Shared | None = None
        self._settings: dict[Node, Any] = {}
        self.replaced: list[str] = []

    def lend(self) -> Shared:
        """Return it in order, and empty: without data, scripts and functions."""
        self.inspect()
        if self._current is None:
            self._current = self._start()
            self._settings = {node: _settings_of(node) for node in self._current.nodes}
        _empty(self._current)
        return self._current

    def inspect(self) -> None:
        """Look whether it is in order, and give it up if not."""
        current = self._current
        if current is None:
            return
        found = current.problem() or self._changed_setting(current) or _broken_script(current)
        if found is not None:
            self.replaced.append(found)
            self.stop()

    def stop(self) -> None:
        """Stop it; the next `lend` starts another."""
        current, self._current = self._current, None
        if current is not None:
            current.stop()

    def _changed_setting(self, current: Shared) -> str | None:
        for node in current.nodes:
            if _settings_of(node) != self._settings[node]:
                return f"{node} has other settings than at its start"
        return None


@pytest.fixture(scope="session")
def cluster_of_session(server: Server) -> Iterator[OfSession[Cluster]]:
    """The session's shared cluster, started when a test first asks for it."""
    kind = _kind_of(server)
    shared = OfSession(lambda: start_cluster(kind))
    yield shared
    shared.stop()


@pytest.fixture(scope="session")
def sentinel_of_session(server: Server) -> Iterator[OfSession[SentinelSet]]:
    """The session's shared Sentinel set, started when a test first asks for it."""
    kind = _kind_of(server)
    shared = OfSession(lambda: start_sentinel(kind))
    yield shared
    shared.stop()


@pytest.fixture
def cluster(cluster_of_session: OfSession[Cluster]) -> Iterator[Cluster]:
    """A cluster of 3 primaries and 3 replicas in order, without data and without scripts.

    A test may move slots and fail nodes over. What it breaks is replaced after it.
    """
    yield cluster_of_session.lend()
    cluster_of_session.inspect()


@pytest.fixture
def private_cluster(server: Server) -> Iterator[Cluster]:
    """A cluster of 3 primaries and 3 replicas for one test, which may kill its nodes."""
    with start_cluster(_kind_of(server)) as opened:
        yield opened


@pytest.fixture
def sentinel_set(sentinel_of_session: OfSession[SentinelSet]) -> Iterator[SentinelSet]:
    """A primary, a replica and 3 sentinels in order, without data and without scripts.

    A test may order failovers. What it breaks is replaced after it.
    """
    yield sentinel_of_session.lend()
    sentinel_of_session.inspect()


@pytest.fixture
def private_sentinel_set(server: Server) -> Iterator[SentinelSet]:
    """A primary, a replica and 3 sentinels for one test, which may kill them."""
    with start_sentinel(_kind_of(server)) as opened:
        yield opened


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A faulty network before the session's server."""
    address = urlsplit(server.url)
    if address.hostname is None or address.port is None:
        pytest.skip("the server listens on no port")
    with Proxy(address.hostname, address.port) as opened:
        yield opened


@pytest.fixture
def private(server: Server) -> Iterator[Server]:
    """A server of the same kind for one test, which may spoil it."""
    with start(_kind_of(server)) as opened:
        yield opened


def _kind_of(server: Server) -> str:
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    return server.kind


def _empty(shared: Cluster | SentinelSet) -> None:
    """Remove data and functions from the primaries, and scripts from every node."""
    for node in _primaries_of(shared):
        node.ask("FLUSHALL")
        node.ask("FUNCTION FLUSH")
    for node in shared.nodes:
        # A replica's script cache is its own.
        node.ask("SCRIPT FLUSH")


def _primaries_of(shared: Cluster | SentinelSet) -> Iterable[Node]:
    return shared.primaries() if isinstance(shared, Cluster) else [shared.primary()]


def _broken_script(shared: Cluster | SentinelSet) -> str | None:
    """Find a node on which scripts cannot call commands any more, as one bad script can do."""
    for node in shared.nodes:
        try:
            node.ask("EVAL", "return redis.call('PING')", 0)
        except redis.ResponseError as error:
            return f"{node} runs no scripts: {error}"
    return None


def _settings_of(node: Node) -> dict[str, str]:
    """Return everything that CONFIG SET and ACL SETUSER may have changed."""
    settings: Any = node.ask("CONFIG GET", "*")
    users: Any = node.ask("ACL LIST")
    kept = {name: value for name, value in settings.items() if name not in _VOLATILE}
    return {**kept, "users": repr(users)}


@pytest.fixture
def make_full(client: redis.Redis) -> Iterator[Callable[[], None]]:
    """``make_full()`` puts the server over its memory limit, until the test ends."""
    before: Any = client.config_get("maxmemory*")

    def set_limit() -> None:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)

    yield set_limit
    for name in ("maxmemory", "maxmemory-policy"):
        client.config_set(name, before[name])
