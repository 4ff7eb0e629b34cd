"""A client of each node, for what looks after servers: see `connect_each`."""

from __future__ import annotations

from typing import Any, Unpack, cast

import redis

from redislua.patterns import _address
from redislua.patterns.connect import Options, connect

__all__ = ["connect_each"]


def connect_each(url: str, **options: Unpack[Options]) -> dict[str, redis.Redis]:
    """Return a blocking client of each node that a URL leads to, by ``host:port``.

    A cluster has one for each primary and each replica, dead ones included: the client of a
    cluster would not start while one of its nodes is down. Of Sentinels it is the primary
    alone, by its name; of a Unix socket its path.

    >>> clients = connect_each("redis+cluster://n1:6379,n2:6379")  # doctest: +SKIP
    >>> {name: client.info()["role"] for name, client in clients.items()}  # doctest: +SKIP
    {'10.0.0.1:6379': 'master', '10.0.0.2:6379': 'master', '10.0.0.3:6379': 'master'}

    Args:
        url: As for `redislua.patterns.connect.connect`.
        options: As there. ``address_remap`` is applied to what the nodes say.

    Raises:
        InvalidArgumentValue: The URL or an option is wrong.
        redis.RedisError: Of a cluster: no start-up node answered, or it is no cluster.
            Other servers are not asked anything yet.
    """
    address = _address.parse(url, caller="connect_each")
    if address.kind != "cluster":
        return {_name(address): cast("redis.Redis", connect(url, **options))}
    remap = options.pop("address_remap", None) or (lambda place: place)
    # Texts of the URL, as they would stand in that of a single server.
    given: Any = {**address.options, **options}
    scheme = "rediss" if address.secure else "redis"

    def single(host: str, port: int) -> redis.Redis:
        shown = f"[{host}]" if ":" in host else host
        return cast("redis.Redis", connect(f"{scheme}://{shown}:{port}", **given))

    found = [remap(place) for place in _members(address, single)]
    return {f"{host}:{port}": single(host, port) for host, port in dict.fromkeys(found)}


def _name(address: _address.Address) -> str:
    if address.kind == "single":
        host, port = address.hosts[0]
        return f"{host}:{port}"
    return address.master or address.path


def _members(address: _address.Address, single: Any) -> list[tuple[str, int]]:
    """Ask the start-up nodes in turn who belongs to the cluster; the primaries come first."""
    failed: list[redis.RedisError] = []
    for host, port in address.hosts:
        with single(host, port) as client:
            try:
                # Unlike CLUSTER SLOTS it has replicas that are not in order yet, or no more.
                shards: Any = client.execute_command("CLUSTER", "SHARDS")
            except redis.RedisError as error:
                failed.append(error)
                continue
        nodes = [node for shard in shards for node in shard[b"nodes"]]
        nodes.sort(key=lambda node: node[b"role"] != b"master")  # keeps the order of each kind
        return [_place(node, host, secure=address.secure) for node in nodes]
    raise failed[-1]


def _place(node: dict[bytes, Any], asked: str, *, secure: bool) -> tuple[str, int]:
    """A node's address; one that does not know its own is where it was asked."""
    host = (node[b"endpoint"] or b"?").decode()
    port = node.get(b"tls-port") if secure else node.get(b"port")
    return asked if host == "?" else host, port or node.get(b"port") or node[b"tls-port"]
