"""Connections to wait on: made like the client's own, each for one waiter, without time-outs."""

from __future__ import annotations

from typing import Any

from redis.crc import key_slot

from redislua.runtime import clients, valkey_py
from redislua.runtime.connections.line import connection_settings, refusals
from redislua.runtime.slots import Topology
from redislua.runtime.steps import Address

__all__ = ["Connector"]


class Connector:
    """Makes connections to the node that serves a key or a channel.

    They speak RESP2, in which a message is a reply like any other.

    Attributes:
        topology: Of a cluster, the runtime's own; None for one server.
        errors: The exceptions of the client library.
        failures: What connecting, writing and reading raise when there is no server.
    """

    def __init__(self, client: Any, topology: Topology | None, *, asyncio: bool) -> None:
        self.topology = topology
        self.errors = valkey_py.exceptions_of(client)
        self.failures: tuple[type[Exception], ...] = refusals(self.errors)
        self._cluster = None
        if topology is None:
            self._source: Any = clients.pool_of(client, asyncio=asyncio)
        else:
            self._cluster, _ = clients.cluster_of(client, asyncio=asyncio)

    def address(self, name: bytes) -> Address | None:
        """The node of a cluster that serves a key or a channel, None while that is unknown."""
        return None if self.topology is None else self.topology.serving(key_slot(name))

    def doubt(self) -> None:
        """Ask the cluster anew before the next look at who serves what."""
        if self.topology is not None:
            self.topology.stale = True

    def connected(self, address: Address | None, seconds: float) -> Any:
        """`new`, connected: of a blocking client."""
        connection = self.new(address, seconds)
        try:
            connection.connect()
        except BaseException:
            connection.disconnect()
            raise
        return connection

    async def aconnected(self, address: Address | None, seconds: float) -> Any:
        """`new`, connected: of an asyncio client."""
        connection = self.new(address, seconds)
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        connection.socket_timeout = None  # whoever waits says for how long
        return connection

    def new(self, address: Address | None, seconds: float) -> Any:
        """A connection of the client library that is not connected yet.

        Args:
            address: The node of a cluster; None for the one server.
            seconds: What connecting may take at most.
        """
        source = self.source(address)
        connection = source.connection_class(**{**connection_settings(source), "protocol": 2})
        own = connection.socket_connect_timeout
        connection.socket_connect_timeout = seconds if own is None else min(own, seconds)
        connection.socket_timeout = seconds
        return connection

    def source(self, address: Address | None) -> Any:
        """What the connections to a node are made like; of the one server for None."""
        if self._cluster is None:
            return self._source
        if address is None:
            raise ConnectionError("no node serves the slot")
        return self._cluster.at(address)
