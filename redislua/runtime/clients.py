"""Which clients a call can be run on, for the type checker and at run time."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from redislua.errors import InvalidArgumentType, UnsupportedClient
from redislua.runtime import valkey_py
from redislua.runtime.call import Call
from redislua.runtime.connections import ClusterSource
from redislua.runtime.connections.line import MAINTENANCE
from redislua.runtime.slots import Reads, Topology

__all__ = ["AsyncClient", "BlockingClient", "check", "checked", "cluster_of", "pool_of"]


T = TypeVar("T")


class BlockingClient(Protocol):
    """A blocking client of redis-py or valkey-py."""

    def __enter__(self) -> Any: ...

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command."""

    def close(self) -> None:
        """Close the client."""


class AsyncClient(Protocol):
    """An asyncio client of redis-py or valkey-py."""

    async def __aenter__(self) -> Any: ...

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command."""

    async def aclose(self) -> None:
        """Close the client."""


def checked(call: Call[T]) -> Call[T]:
    """Return a call, or refuse what is none: a generated function that was not called."""
    if not isinstance(call, Call):
        if isinstance(call, Sequence):
            raise InvalidArgumentType("run_many", "calls", call, "them one by one: *calls")
        raise InvalidArgumentType("run", "call", call, "a call, as in limit.gcra(subject=...)")
    return call


def pool_of(client: object, *, asyncio: bool) -> Any:
    """Return the connection pool of a client of a single server that this kind of call can use.

    Raises:
        UnsupportedClient: A client of the other kind, or no client at all.
    """
    kind = f"{type(client).__module__}.{type(client).__qualname__}"
    if valkey_py.is_pipeline(client):
        raise UnsupportedClient(f"{kind} is a pipeline: pass the client it was made from")
    pool = getattr(client, "connection_pool", None)
    connection_class = getattr(pool, "connection_class", None)
    if connection_class is None:
        raise UnsupportedClient(f"{kind} is not a client of redis-py or valkey-py")
    _check_kind(kind, connection_class, asyncio=asyncio)
    return pool


def check(client: object, *, asyncio: bool) -> None:
    """Refuse what this kind of call cannot use."""
    if valkey_py.is_cluster(client):
        cluster_of(client, asyncio=asyncio)
    else:
        pool_of(client, asyncio=asyncio)


def cluster_of(client: Any, *, asyncio: bool) -> tuple[ClusterSource, Topology]:
    """Return how a cluster client connects, and where to ask for its nodes.

    What is returned does not hold the client: its own ``redis_connect_func`` is left out, and
    replicas are told READONLY by our own connections.

    Raises:
        UnsupportedClient: A cluster client of the other kind.
    """
    nodes = getattr(client, "nodes_manager", None)
    if nodes is None:
        raise UnsupportedClient(f"{type(client).__qualname__} is a cluster client not yet made")
    known = [*nodes.nodes_cache.values(), *nodes.startup_nodes.values()]
    connected = next((one for one in known if _connector(one) is not None), None)
    if connected is None:
        raise UnsupportedClient(f"{type(client).__qualname__} has no node that it can connect to")
    connector = _connector(connected)
    kind = f"{type(client).__module__}.{type(client).__qualname__}"
    _check_kind(kind, connector.connection_class, asyncio=asyncio)
    settings = {
        name: value
        for name, value in connector.connection_kwargs.items()
        if not name.endswith("_connect_func")
        and name != "event_dispatcher"
        and not name.startswith(MAINTENANCE)  # its handlers hold the client
    }
    own = getattr(client, "user_on_connect_func", None)
    if own is not None:
        library = type(client).__module__.partition(".")[0]
        settings[f"{library}_connect_func"] = own
    source = ClusterSource(connector.connection_class, settings, connector.max_connections)
    seeds = [(one.host, int(one.port)) for one in known]
    return source, Topology(seeds, reads=_reads(client), remap=nodes.address_remap)


def _connector(node: Any) -> Any:
    """What makes a node's connections: its client's pool, or in asyncio the node itself."""
    if hasattr(node, "connection_kwargs"):
        return node
    client = getattr(node, "redis_connection", None) or getattr(node, "valkey_connection", None)
    return None if client is None else client.connection_pool


def _reads(client: Any) -> Reads:
    strategy = getattr(client, "load_balancing_strategy", None)
    if strategy is not None:
        return "replicas" if "replica" in strategy.value else "any"
    return "any" if client.read_from_replicas else "primary"


def _check_kind(kind: str, connection_class: Any, *, asyncio: bool) -> None:
    if inspect.iscoroutinefunction(connection_class.send_packed_command) is not asyncio:
        wants, use = ("an asyncio", "arun") if not asyncio else ("a blocking", "run")
        raise UnsupportedClient(
            f"{kind} is {wants} client: use {use}(), or the classes made for it"
        )
