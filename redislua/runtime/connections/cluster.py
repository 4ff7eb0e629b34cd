"""The nodes of a cluster: a pool of connections for each, made when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from redis.crc import key_slot

from redislua.runtime.call import Call
from redislua.runtime.connections.asynchronous import AsyncPool, outcome_of
from redislua.runtime.connections.blocking import Pool, exchanged
from redislua.runtime.settings import Settings
from redislua.runtime.slots import Topology, slot_of
from redislua.runtime.steps import Address, Outcome, Send, Unrouted

__all__ = ["AsyncClusterPool", "ClusterPool", "ClusterSource"]


@dataclass(frozen=True, slots=True)
class ClusterSource:
    """What a cluster client says of its connections.

    Attributes:
        connection_class: Makes connections.
        connection_kwargs: With these settings, host and port aside.
        max_connections: So many at most, to each node.
    """

    connection_class: Any
    connection_kwargs: dict[str, Any]
    max_connections: int

    def at(self, address: Address) -> ClusterSource:
        """The same for one node."""
        host, port = address
        settings = {**self.connection_kwargs, "host": host, "port": port}
        return ClusterSource(self.connection_class, settings, self.max_connections)


P = TypeVar("P", Pool, AsyncPool)


class _Nodes(Generic[P]):
    """A pool for each node that was ever sent to.

    Attributes:
        topology: Which node serves which slot.
        settings: How the client's calls are made.
    """

    def __init__(
        self, source: ClusterSource, errors: ModuleType, settings: Settings, topology: Topology
    ) -> None:
        self.topology = topology
        self.settings = settings
        self._source = source
        self._errors = errors
        self._by_address: dict[Address, P] = {}
        self._lock = threading.Lock()

    def way(self, call: Call[Any]) -> tuple[Address | None, bool]:
        """The node of a call, None while that is not known, and whether it may be a replica.

        Raises:
            CrossSlot: The keys lie in more than one slot.
        """
        topology, keys = self.topology, call.keys
        slot = key_slot(keys[0]) if len(keys) == 1 else slot_of([call])
        reads = call.script.read_only and topology.reads != "primary"
        return None if topology.must_be_asked() else topology.serving(slot, read=reads), reads

    def known_by(self, to: Address | None) -> set[str]:
        """Digests of the scripts that a node is believed to have."""
        return set() if to is None else self._at(to).known

    def renew(self, to: Address | None = None) -> None:
        """Give up the connections that no call is on."""
        for address, pool in list(self._by_address.items()):
            if to in (None, address):
                pool.renew()

    def close(self) -> None:
        """Close the idle connections to every node."""
        for pool in list(self._by_address.values()):
            pool.close()

    def _at(self, address: Address | None) -> P:
        if address is None:
            raise AssertionError("a plan for a cluster names the node of each write")
        pool = self._by_address.get(address)
        if pool is None:
            with self._lock:
                pool = self._by_address.get(address)
                if pool is None:
                    pool = self._by_address[address] = self._made(address)
        return pool

    def _made(self, address: Address) -> P:
        raise NotImplementedError


class ClusterPool(_Nodes[Pool]):
    """The connections of one blocking cluster client. Threads may share it."""

    def first(self, call: Call[Any], until: float) -> Any:
        """Send EVALSHA to the node of the call's keys: `Pool.first`.

        Raises:
            CrossSlot: The keys lie in more than one slot.
            Unrouted: The cluster must be asked first.
            NotSent: No byte left.
            Lost: The bytes may have arrived.
        """
        to, read_only = self.way(call)
        if to is None:
            raise Unrouted
        return self._at(to).first(call, until, read_only=read_only)

    def exchange(self, send: Send, until: float) -> list[Any]:
        """Write commands to one node and read one reply for each: `Pool.exchange`."""
        return self._at(send.to).exchange(send, until)

    def exchange_all(self, sends: Sequence[Send], until: float) -> list[Outcome]:
        """Write to all nodes, then read the replies of all."""
        # Those first that need not connect: a node that lets us wait holds up no other.
        writes = [(index, self._at(send.to), send) for index, send in enumerate(sends)]
        writes.sort(key=lambda write: not write[1].idle)
        outcomes = exchanged([(pool, send) for _, pool, send in writes], until)
        by_index = {write[0]: outcome for write, outcome in zip(writes, outcomes, strict=True)}
        return [by_index[index] for index in range(len(sends))]

    def forget(self) -> None:
        """Start afresh in a child process."""
        self._lock = threading.Lock()
        self.topology.forget()
        for pool in self._by_address.values():
            pool.forget()

    def _made(self, address: Address) -> Pool:
        replica = self.topology.reads != "primary"
        return Pool(self._source.at(address), self._errors, self.settings, replica=replica)


class AsyncClusterPool(_Nodes[AsyncPool]):
    """The connections of one asyncio cluster client in one event loop."""

    def __init__(
        self,
        source: ClusterSource,
        errors: ModuleType,
        settings: Settings,
        topology: Topology,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(source, errors, settings, topology)
        self._loop = loop

    def submit(self, call: Call[Any], until: float) -> asyncio.Future[Any] | None:
        """Send EVALSHA on the shared connection to the node of the call's keys, if there is one."""
        to, read_only = self.way(call)
        return None if to is None else self._at(to).submit(call, until, read_only=read_only)

    async def first(self, call: Call[Any], until: float) -> Any:
        """Send EVALSHA to the node of the call's keys: `ClusterPool.first`."""
        to, read_only = self.way(call)
        if to is None:
            raise Unrouted
        return await self._at(to).first(call, until, read_only=read_only)

    async def exchange(self, send: Send, until: float) -> list[Any]:
        """Write commands to one node and read one reply for each."""
        return await self._at(send.to).exchange(send, until)

    async def exchange_all(self, sends: Sequence[Send], until: float) -> list[Outcome]:
        """Write to all nodes side by side."""
        pairs = [(self._at(send.to), send) for send in sends]
        return list(await asyncio.gather(*(outcome_of(pool, one, until) for pool, one in pairs)))

    def close_soon(self) -> None:
        """Close from anywhere, a finalizer included."""
        for pool in list(self._by_address.values()):
            pool.close_soon()

    def _made(self, address: Address) -> AsyncPool:
        replica = self.topology.reads != "primary"
        source = self._source.at(address)
        return AsyncPool(source, self._errors, self.settings, self._loop, replica=replica)
