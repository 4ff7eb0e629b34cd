"""Calls bound to a client: the bases of the generated classes."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from redislua.runtime import aio, blocking, clients, encode
from redislua.runtime.call import Call
from redislua.runtime.clients import AsyncClient, BlockingClient
from redislua.runtime.plan import DEFAULT_DEADLINE, ends
from redislua.runtime.pools import async_pools, pools

__all__ = ["AsyncBindings", "Bindings"]

T = TypeVar("T")


class Bindings:
    """Base of the generated classes for blocking clients."""

    def __init__(
        self,
        client: BlockingClient,
        *,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Bind calls to a client.

        Args:
            client: A blocking client of redis-py or valkey-py. Nothing is sent yet.
            namespace: Put before every key, with a colon; ``""`` for none.
            deadline: How long each call may take, a timedelta or seconds, where the
                call itself does not say.
        """
        _check(type(self), namespace, deadline)
        self._client = client
        self._namespace = namespace
        self._deadline = deadline
        self._pool = pools.of(client)

    def _run(self, call: Call[T], deadline: timedelta | float | None) -> T:
        until = ends(call.script.name, self._deadline if deadline is None else deadline)
        return blocking.called(self._pool, call, until)


class AsyncBindings:
    """Base of the generated classes for asyncio clients."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Bind calls to a client.

        Args:
            client: An asyncio client of redis-py or valkey-py. Nothing is sent yet.
            namespace: Put before every key, with a colon; ``""`` for none.
            deadline: How long each call may take, a timedelta or seconds, where the
                call itself does not say.
        """
        _check(type(self), namespace, deadline)
        clients.check(client, asyncio=True)
        self._client = client
        self._namespace = namespace
        self._deadline = deadline

    async def _run(self, call: Call[T], deadline: timedelta | float | None) -> T:
        until = ends(call.script.name, self._deadline if deadline is None else deadline)
        return await aio.called(async_pools.of(self._client), call, until)


def _check(bindings: type, namespace: str, deadline: timedelta | float) -> None:
    """Refuse a bad namespace or deadline at construction, under the name of the class."""
    encode.namespace_prefix(bindings.__name__, namespace)
    ends(bindings.__name__, deadline)
