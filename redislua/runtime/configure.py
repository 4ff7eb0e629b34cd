"""Set how the calls of a client are made."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

from redislua.runtime.clients import AsyncClient, BlockingClient
from redislua.runtime.pools import settings_of
from redislua.runtime.watching.protocol import Observer

__all__ = ["configure"]


class _Unchanged(Enum):
    """Stands for a setting that is left as it is."""

    UNCHANGED = "unchanged"


_UNCHANGED: Final = _Unchanged.UNCHANGED


def configure(
    client: BlockingClient | AsyncClient,
    *,
    coalesce: bool | Literal[_Unchanged.UNCHANGED] = _UNCHANGED,
    observer: Observer | Literal[_Unchanged.UNCHANGED] | None = _UNCHANGED,
) -> None:
    """Set how the calls of a client are made from now on; what is not given stays as it is.

    Settings belong to the client: they hold for every call on it, by whatever class or
    function, and go with it.

    Args:
        client: A client of redis-py or valkey-py, blocking or asyncio.
        coalesce: Whether calls made at the same moment by several threads or tasks share
            a connection and a write (the default), or each has a connection to itself.
        observer: Who is told of every call, or None. Without one watching costs nothing.

    Raises:
        UnsupportedClient: It cannot be a client.
    """
    settings = settings_of(client)
    if coalesce is not _UNCHANGED:
        settings.coalesce = coalesce
    if observer is not _UNCHANGED:
        settings.watch(observer)
