"""Which connections a client's calls travel on: one pool for each client.

Nothing here holds a client: its pool goes when it goes, and idle connections are closed.
A child process forgets what it inherited, without closing what its parent goes on using.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref

from redislua.runtime import clients, valkey_py
from redislua.runtime.connections import AsyncPool, Pool

__all__ = ["async_pools", "pools"]


class _Pools:
    """The pool of each blocking client. Holds no client: a pool goes with its client."""

    def __init__(self) -> None:
        self._by_client: weakref.WeakKeyDictionary[object, Pool] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, client: object) -> Pool:
        """Return the client's pool; two clients never share one."""
        try:
            pool = self._by_client.get(client)
        except TypeError:  # not weakly referable, so no client: `_make` says that
            pool = None
        return self._make(client) if pool is None else pool

    def _make(self, client: object) -> Pool:
        source = clients.pool_of(client, asyncio=False)
        with self._lock:
            pool = self._by_client.get(client)
            if pool is None:
                pool = Pool(source, valkey_py.exceptions_of(client))
                weakref.finalize(client, pool.close)
                self._by_client[client] = pool
        return pool

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        for pool in list(self._by_client.values()):
            pool.forget()


class _AsyncPools:
    """The pools of each asyncio client: one for each event loop that it is used in."""

    def __init__(self) -> None:
        self._by_client: weakref.WeakKeyDictionary[
            object, dict[asyncio.AbstractEventLoop, AsyncPool]
        ] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()
        self._inherited: list[AsyncPool] = []

    def of(self, client: object) -> AsyncPool:
        """Return the client's pool in the running loop."""
        loop = asyncio.get_running_loop()
        try:
            pool = self._by_client[client].get(loop)
        except (KeyError, TypeError):  # not seen yet, or not weakly referable: no client
            pool = None
        return self._make(client, loop) if pool is None else pool

    def _make(self, client: object, loop: asyncio.AbstractEventLoop) -> AsyncPool:
        source = clients.pool_of(client, asyncio=True)
        with self._lock:
            by_loop = self._by_client.get(client)
            if by_loop is None:
                by_loop = self._by_client[client] = {}
                weakref.finalize(client, _close_all, by_loop).atexit = False
            for ended in [other for other in by_loop if other.is_closed()]:
                del by_loop[ended]
            pool = by_loop[loop] = AsyncPool(source, valkey_py.exceptions_of(client), loop)
        return pool

    def after_fork(self) -> None:
        # Closing an inherited transport would take it out of the epoll set, which the
        # parent shares: the child keeps these connections and never touches them.
        self._lock = threading.Lock()
        for by_loop in list(self._by_client.values()):
            self._inherited += by_loop.values()
            by_loop.clear()


def _close_all(by_loop: dict[asyncio.AbstractEventLoop, AsyncPool]) -> None:
    for pool in by_loop.values():
        pool.close_soon()


pools = _Pools()
async_pools = _AsyncPools()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pools.after_fork)
    os.register_at_fork(after_in_child=async_pools.after_fork)
