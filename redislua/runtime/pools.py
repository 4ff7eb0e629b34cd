"""Which connections a client's calls travel on: one pool for each client.

Nothing here holds a client: its pool goes when it goes, and idle connections are closed.
A child process forgets what it inherited, without closing what its parent goes on using.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from typing import TypeAlias

from redislua.errors import UnsupportedClient
from redislua.runtime import clients, valkey_py
from redislua.runtime.connections import AsyncClusterPool, AsyncPool, ClusterPool, Pool
from redislua.runtime.settings import Settings

__all__ = ["AnyAsyncPool", "AnyPool", "async_pools", "pools", "settings_of"]

AnyPool: TypeAlias = Pool | ClusterPool
AnyAsyncPool: TypeAlias = AsyncPool | AsyncClusterPool

_settings: weakref.WeakKeyDictionary[object, Settings] = weakref.WeakKeyDictionary()
_settings_lock = threading.Lock()


def settings_of(client: object) -> Settings:
    """Return the settings of a client, which all of its pools share.

    Raises:
        UnsupportedClient: It cannot be a client.
    """
    try:
        with _settings_lock:
            return _settings.setdefault(client, Settings())
    except TypeError:  # not weakly referable
        kind = f"{type(client).__module__}.{type(client).__qualname__}"
        raise UnsupportedClient(f"{kind} is not a client of redis-py or valkey-py") from None


class _Pools:
    """The pool of each blocking client. Holds no client: a pool goes with its client."""

    def __init__(self) -> None:
        # By identity, which costs a third of a weak look-up on every call. An entry goes when
        # its client does, so no later object can have its place.
        self._by_id: dict[int, AnyPool] = {}
        self._lock = threading.RLock()

    def of(self, client: object) -> AnyPool:
        """Return the client's pool; two clients never share one."""
        pool = self._by_id.get(id(client))
        return self._make(client) if pool is None else pool

    def _make(self, client: object) -> AnyPool:
        made = _new_pool(client)
        with self._lock:
            pool = self._by_id.get(id(client))
            if pool is None:
                pool = made
                weakref.finalize(client, self._end, id(client))
                self._by_id[id(client)] = pool
        return pool

    def _end(self, identity: int) -> None:
        self._by_id.pop(identity).close()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        for pool in list(self._by_id.values()):
            pool.forget()


def _new_pool(client: object) -> AnyPool:
    errors = valkey_py.exceptions_of(client)
    if not valkey_py.is_cluster(client):
        source = clients.pool_of(client, asyncio=False)
        return Pool(source, errors, settings_of(client))
    source, topology = clients.cluster_of(client, asyncio=False)
    return ClusterPool(source, errors, settings_of(client), topology)


class _AsyncPools:
    """The pools of each asyncio client: one for each event loop that it is used in."""

    def __init__(self) -> None:
        self._by_id: dict[int, dict[asyncio.AbstractEventLoop, AnyAsyncPool]] = {}
        self._lock = threading.RLock()
        self._inherited: list[AnyAsyncPool] = []

    def of(self, client: object) -> AnyAsyncPool:
        """Return the client's pool in the running loop."""
        loop = asyncio.get_running_loop()
        by_loop = self._by_id.get(id(client))
        pool = None if by_loop is None else by_loop.get(loop)
        return self._make(client, loop) if pool is None else pool

    def _make(self, client: object, loop: asyncio.AbstractEventLoop) -> AnyAsyncPool:
        made = _new_async_pool(client, loop)
        with self._lock:
            by_loop = self._by_id.get(id(client))
            if by_loop is None:
                by_loop = self._by_id[id(client)] = {}
                weakref.finalize(client, self._end, id(client)).atexit = False
            for ended in [other for other in by_loop if other.is_closed()]:
                del by_loop[ended]
            pool = by_loop[loop] = made
        return pool

    def _end(self, identity: int) -> None:
        for pool in self._by_id.pop(identity).values():
            pool.close_soon()

    def after_fork(self) -> None:
        # Closing an inherited transport would take it out of the epoll set, which the
        # parent shares: the child keeps these connections and never touches them.
        self._lock = threading.RLock()
        for by_loop in list(self._by_id.values()):
            self._inherited += by_loop.values()
            by_loop.clear()


def _new_async_pool(client: object, loop: asyncio.AbstractEventLoop) -> AnyAsyncPool:
    errors = valkey_py.exceptions_of(client)
    if not valkey_py.is_cluster(client):
        source = clients.pool_of(client, asyncio=True)
        return AsyncPool(source, errors, settings_of(client), loop)
    source, topology = clients.cluster_of(client, asyncio=True)
    return AsyncClusterPool(source, errors, settings_of(client), topology, loop)


pools = _Pools()
async_pools = _AsyncPools()


def _after_fork() -> None:
    global _settings_lock
    _settings_lock = threading.Lock()
    pools.after_fork()
    async_pools.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
