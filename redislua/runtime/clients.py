"""Which clients a call can be run on, for the type checker and at run time."""

from __future__ import annotations

import inspect
from typing import Any, Protocol, TypeVar

from redislua.errors import InvalidArgumentType, UnsupportedClient
from redislua.runtime import valkey_py
from redislua.runtime.call import Call

__all__ = ["AsyncClient", "BlockingClient", "checked", "pool_of"]


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
        raise InvalidArgumentType("run", "call", call, "a call, as in limit.gcra(subject=...)")
    return call


def pool_of(client: object, *, asyncio: bool) -> Any:
    """Return the connection pool of a client that this kind of call can use.

    Raises:
        UnsupportedClient: A client of the other kind, of a cluster, or no client at all.
    """
    kind = f"{type(client).__module__}.{type(client).__qualname__}"
    if valkey_py.is_pipeline(client):
        raise UnsupportedClient(f"{kind} is a pipeline: pass the client it was made from")
    if valkey_py.is_cluster(client):
        raise UnsupportedClient(f"{kind} is a cluster client: this version drives single servers")
    pool = getattr(client, "connection_pool", None)
    connection_class = getattr(pool, "connection_class", None)
    if connection_class is None:
        raise UnsupportedClient(f"{kind} is not a client of redis-py or valkey-py")
    if inspect.iscoroutinefunction(connection_class.send_packed_command) is not asyncio:
        wants, use = ("an asyncio", "arun") if not asyncio else ("a blocking", "run")
        raise UnsupportedClient(
            f"{kind} is {wants} client: use {use}(), or the classes made for it"
        )
    return pool
