"""valkey-py beside redis-py, without importing it.

valkey-py is a fork of redis-py: its clients and connections are used in the same way, but
its classes are its own. A client of it can only exist where it is imported, so looking
in ``sys.modules`` is enough.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.client
import redis.exceptions

__all__ = ["exceptions_of", "is_cluster", "is_pipeline"]


def exceptions_of(client: object) -> ModuleType:
    """Return the exceptions module of the library that a client comes from."""
    valkey = _valkey()
    if valkey is not None:
        single = (valkey.Valkey, valkey.asyncio.Valkey)
        if isinstance(client, (*single, valkey.ValkeyCluster, valkey.asyncio.ValkeyCluster)):
            return sys.modules["valkey.exceptions"]
    return redis.exceptions


def is_pipeline(client: object) -> bool:
    """True for a pipeline: in both libraries made like the client it comes from."""
    kinds: tuple[type, ...] = _pipelines(redis)
    valkey = _valkey()
    if valkey is not None:
        kinds += _pipelines(valkey)
    return isinstance(client, kinds)


def is_cluster(client: object) -> bool:
    """True for a cluster client."""
    kinds: tuple[type, ...] = (redis.RedisCluster, redis.asyncio.RedisCluster)
    valkey = _valkey()
    if valkey is not None:
        kinds += (valkey.ValkeyCluster, valkey.asyncio.ValkeyCluster)
    return isinstance(client, kinds) and not is_pipeline(client)


def _pipelines(library: Any) -> tuple[type, ...]:
    return (
        library.client.Pipeline,
        library.asyncio.client.Pipeline,
        library.cluster.ClusterPipeline,
        library.asyncio.cluster.ClusterPipeline,
    )


def _valkey() -> Any:
    return sys.modules.get("valkey")
