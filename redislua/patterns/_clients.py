"""redis-py's clients and pools with a `Patience`: the blocking ones and the asyncio ones.

`BLOCKING` and `ASYNCIO` are all that the two differ in; `redislua.patterns.connect` fills
either in from one description.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.connection
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.cluster
import redis.connection
import redis.retry
import redis.sentinel
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from redislua.patterns._patience import (
    Patience,
    anothing,
    is_read_only,
    nothing,
    nothing_sent,
)

__all__ = ["ASYNCIO", "BLOCKING", "Library"]


class _Pool(redis.ConnectionPool):
    """A pool whose connections are known to work when they are handed out."""

    def __init__(self, *, patience: Patience, **settings: Any) -> None:
        self.patience = patience
        super().__init__(**settings)

    def get_connection(self, *_command: Any, **_options: Any) -> Any:
        """Connect, and check an idle connection's health, until the patience ends."""
        return self.patience.connecting(self._working)

    def _working(self) -> Any:
        with nothing_sent():
            connection: Any = super().get_connection()
            try:
                # Here and not while sending, where a failed PING looks like a lost reply.
                connection.check_health()
            except BaseException:
                self.release(connection)
                raise
            return connection

    def refused(self, error: Exception) -> None:
        """After a failover the name of a server may mean another one: connect afresh."""
        if is_read_only(error, None):
            self.disconnect(inuse_connections=False)

    def asked(self) -> Sequence[Any]:
        """Clients that this pool asks where to connect, and that end with it."""
        return ()


class _AsyncPool(redis.asyncio.ConnectionPool):
    """`_Pool` for asyncio."""

    def __init__(self, *, patience: Patience, **settings: Any) -> None:
        self.patience = patience
        super().__init__(**settings)

    async def get_connection(self, *_command: Any, **_options: Any) -> Any:
        """Connect, and check an idle connection's health, until the patience ends."""
        return await self.patience.aconnecting(self._working)

    async def _working(self) -> Any:
        with nothing_sent():
            connection: Any = await super().get_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.check_health()
            except BaseException:
                await self.release(connection)
                raise
            return connection

    async def refused(self, error: Exception) -> None:
        """After a failover the name of a server may mean another one: connect afresh."""
        if is_read_only(error, None):
            await self.disconnect(inuse_connections=False)

    def asked(self) -> Sequence[Any]:
        """Clients that this pool asks where to connect, and that end with it."""
        return ()


class _SentinelPool(_Pool, redis.sentinel.SentinelConnectionPool):
    """A pool that asks Sentinels where to connect, and ends with the clients that ask."""

    def __init__(self, name: str, sentinel: Any, *, patience: Patience, **settings: Any) -> None:
        super().__init__(
            patience=patience, service_name=name, sentinel_manager=sentinel, **settings
        )

    def asked(self) -> Sequence[Any]:
        return tuple(self.sentinel_manager.sentinels)


class _AsyncSentinelPool(_AsyncPool, redis.asyncio.sentinel.SentinelConnectionPool):
    """`_SentinelPool` for asyncio."""

    def __init__(self, name: str, sentinel: Any, *, patience: Patience, **settings: Any) -> None:
        super().__init__(
            patience=patience, service_name=name, sentinel_manager=sentinel, **settings
        )

    def asked(self) -> Sequence[Any]:
        return tuple(self.sentinel_manager.sentinels)


class _Client(redis.Redis):
    def execute_command(self, *args: Any, **options: Any) -> Any:
        pool: Any = self.connection_pool
        attempt = partial(super().execute_command, *args, **options)
        return pool.patience.running(attempt, pool.refused)

    def close(self) -> None:
        """Close the connections, those to the Sentinels too."""
        super().close()
        pool: Any = self.connection_pool
        for one in pool.asked():
            one.close()


class _AsyncClient(redis.asyncio.Redis):
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        pool: Any = self.connection_pool
        attempt = partial(super().execute_command, *args, **options)
        return await pool.patience.arunning(attempt, pool.refused)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections, those to the Sentinels too."""
        await super().aclose(close_connection_pool)
        pool: Any = self.connection_pool
        for one in pool.asked():
            await one.aclose()


class _Cluster(redis.RedisCluster):
    def __init__(
        self, *, patience: Patience, startup: Sequence[tuple[str, int]], **settings: Any
    ) -> None:
        self.patience = patience
        del settings["ssl"]  # its connection class says so
        (host, port), *others = startup
        shown = f"[{host}]" if ":" in host else host
        # With a url, and only then, the nodes get a pool class of one's own. They do not
        # wait for a dead node: the cluster client looks for another way.
        pool = partial(
            _Pool,
            patience=Patience(0),
            health_check_interval=settings.pop("health_check_interval"),
        )
        super().__init__(
            url=f"redis://{shown}:{port}",
            startup_nodes=[redis.cluster.ClusterNode(*other) for other in others],  # type: ignore[no-untyped-call]
            connection_pool_class=pool,
            **settings,
        )

    def execute_command(self, *args: Any, **options: Any) -> Any:
        attempt = partial(super().execute_command, *args, **options)
        return self.patience.running(attempt, nothing)

    def close(self) -> None:
        """Close the connections; redis-py leaves those of a pool class of one's own open."""
        super().close()
        self.disconnect_connection_pools()  # type: ignore[no-untyped-call]


class _AsyncCluster(redis.asyncio.RedisCluster):
    def __init__(
        self, *, patience: Patience, startup: Sequence[tuple[str, int]], **settings: Any
    ) -> None:
        self.patience = patience
        connection_class = settings.pop("connection_class")
        nodes = [redis.asyncio.cluster.ClusterNode(*one) for one in startup]
        super().__init__(startup_nodes=nodes, **settings)
        # Its nodes are their own pools, so the connections must tell what was not sent.
        # There is no parameter for their class: these are the attributes it is read from.
        self.connection_kwargs["connection_class"] = connection_class
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = connection_class

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        send = partial(super().execute_command, *args, **options)

        async def attempt() -> Any:
            # redis-py sends the first command to any node, and then goes where that node
            # says, past `address_remap`.
            await self.initialize()
            return await send()

        return await self.patience.arunning(attempt, anothing)

    async def aclose(self) -> None:
        """Close the connections; redis-py leaves them open after an error of the last command."""
        await super().aclose()
        nodes = self.nodes_manager
        if nodes.default_node is not None:
            await nodes.aclose()
            await nodes.aclose("startup_nodes")


class _Telling(redis.asyncio.connection.AbstractConnection):
    """A connection of a cluster's node that says when nothing of a command was sent."""

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        with nothing_sent():
            await super().connect_check_health(*args, **options)

    async def check_health(self) -> None:
        with nothing_sent():
            await super().check_health()  # type: ignore[no-untyped-call]


class _AsyncConnection(_Telling, redis.asyncio.Connection):
    pass


class _AsyncSSLConnection(_Telling, redis.asyncio.SSLConnection):
    pass


@dataclass(frozen=True, slots=True)
class Library:
    """The classes that one kind of client is made of.

    Attributes:
        client: Of a single server, a Unix socket or what Sentinels watch.
        pool: Of a single server or a Unix socket.
        sentinel: What asks the Sentinels.
        sentinel_pool: What asks it.
        cluster: Of a cluster; takes ``patience`` and ``startup``.
        connections: Connection classes of a pool by name: ``tcp``, ``tls``, ``unix``.
        cluster_connections: Those of a cluster's nodes.
        once: The policy of every connection: what is tried again is decided above it.
        quiet: Settings that turn maintenance notifications off.
    """

    client: Any
    pool: Any
    sentinel: Any
    sentinel_pool: Any
    cluster: Any
    connections: Mapping[str, Any]
    cluster_connections: Mapping[str, Any]
    once: Callable[[], Any]
    quiet: Mapping[str, Any]


_QUIET = {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}
# The asyncio clients of redis-py 8.0 have no such notifications and no such setting.
_ASYNC_NOTIFIES = importlib.util.find_spec("redis.asyncio.maint_notifications") is not None

BLOCKING = Library(
    client=_Client,
    pool=_Pool,
    sentinel=redis.sentinel.Sentinel,
    sentinel_pool=_SentinelPool,
    cluster=_Cluster,
    connections={
        "tcp": redis.Connection,
        "tls": redis.SSLConnection,
        "unix": redis.UnixDomainSocketConnection,
    },
    cluster_connections={"tcp": redis.Connection, "tls": redis.SSLConnection},
    once=partial(redis.retry.Retry, NoBackoff(), 0),
    quiet=_QUIET,
)

ASYNCIO = Library(
    client=_AsyncClient,
    pool=_AsyncPool,
    sentinel=redis.asyncio.sentinel.Sentinel,
    sentinel_pool=_AsyncSentinelPool,
    cluster=_AsyncCluster,
    connections={
        "tcp": redis.asyncio.Connection,
        "tls": redis.asyncio.SSLConnection,
        "unix": redis.asyncio.UnixDomainSocketConnection,
    },
    cluster_connections={"tcp": _AsyncConnection, "tls": _AsyncSSLConnection},
    once=partial(redis.asyncio.retry.Retry, NoBackoff(), 0),
    quiet=_QUIET if _ASYNC_NOTIFIES else {},
)
