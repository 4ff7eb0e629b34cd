"""Facts to judge, and the findings about them by their codes."""

from __future__ import annotations

from typing import Any

import redis

from redislua.inspect.checks import Expected, check
from redislua.inspect.facts import Clock, Facts, examine
from redislua.inspect.finding import Finding
from redislua.server import Server

SAID: dict[str, Any] = {
    "role": "master",
    "connected_slaves": 1,
    "slave0": {"ip": "10.0.0.2", "port": 6379, "state": "online", "lag": 0},
    "used_memory": 50 << 20,
    "maxmemory": 1 << 30,
    "total_system_memory": 8 << 30,
    "maxmemory_policy": "noeviction",
    "evicted_keys": 0,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "number_of_cached_scripts": 10,
    "evicted_scripts": 0,
}
"""A database in order."""

CONFIG = {
    "save": "3600 1",
    "appendonly": "yes",
    "appendfsync": "always",
    "replica-read-only": "yes",
    "min-replicas-to-write": "1",
}


def facts(config: dict[str, str] | None = None, **other: Any) -> Facts:
    """A server in order, but for what is given: attributes of `Facts`, or values of INFO."""
    own = {name: other.pop(name) for name in list(other) if name in Facts.__slots__}
    values: dict[str, Any] = {
        "node": "db:6379",
        "product": "Valkey",
        "version": (9, 1, 2),
        "said": {**SAID, **other},
        "config": {**CONFIG, **(config or {})},
        "clock": Clock(0.0, 0.0001),
        "cluster": {},
        "members": {},
        "user": "default",
        "refused": frozenset(),
    }
    return Facts(**{**values, **own})


def found(of: Facts, expected: Expected | None = None) -> dict[str, Finding]:
    """Findings by their codes."""
    return {one.code: one for one in check(of, expected or Expected())}


def examined(server: Server) -> Facts:
    """What a real server says."""
    with redis.Redis.from_url(server.url) as client:
        return examine("n", client)
