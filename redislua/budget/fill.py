"""Keys filled without knowing what a script keeps in them: for scripts without a sidecar."""

from __future__ import annotations

from typing import Any

import redis

from redislua.runtime.call import Call
from redislua.spec.model import Key, Script

_CHUNK = 1_000
_BYTES = 10
"""Bytes that a string has for each n."""


def fill_keys(client: redis.Redis, spec: Script, call: Call[Any], size: int) -> None:
    """Fill every key of the call with ``size`` elements of its declared type.

    A hash with a ``@state`` gets its number in field ``v``, a string 10 bytes for each n.
    """
    for key, name in spec.keys_of(call.keys):
        state = spec.state_of(key.name)
        if state is not None:
            client.hset(name, "v", str(state.number))
        _fill(client, key.redis_type, name, size)


def fill_wrongly(client: redis.Redis, spec: Script, call: Call[Any], key: Key) -> None:
    """Give the call's keys of one ``@key`` another type than the declared one."""
    kind = "list" if key.redis_type != "list" else "set"
    for declared, name in spec.keys_of(call.keys):
        if declared is key:
            _fill(client, kind, name, 1)


def _fill(client: Any, kind: str, name: bytes, size: int) -> None:
    if kind == "string":
        client.set(name, b"x" * (_BYTES * size))
        return
    with client.pipeline(transaction=False) as pipe:
        if kind == "stream":
            for index in range(size):
                pipe.xadd(name, {"field": f"{index:08d}"}, id=f"{index + 1}-0")
        for start in range(0, size if kind != "stream" else 0, _CHUNK):
            members = [f"{index:08d}" for index in range(start, min(start + _CHUNK, size))]
            match kind:
                case "hash":
                    pipe.hset(name, mapping=dict.fromkeys(members, "x"))
                case "list":
                    pipe.rpush(name, *members)
                case "set":
                    pipe.sadd(name, *members)
                case "zset":
                    pipe.zadd(name, {member: int(member) for member in members})
        pipe.execute()
