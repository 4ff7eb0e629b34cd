"""The exact state of a dataset, to prove that a call changed nothing."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import redis
from redis.client import NEVER_DECODE


class Entry(NamedTuple):
    """One key's state.

    Attributes:
        kind: Redis type, ``hash``.
        value: DUMP's serialisation: the value and its encoding, exactly.
        expires_at: Unix time in milliseconds at which the key expires, or None.
    """

    kind: str
    value: bytes
    expires_at: int | None


Snapshot: TypeAlias = dict[bytes, Entry]


def snapshot(client: redis.Redis) -> Snapshot:
    """Return every key of the client's database with its exact state.

    Two snapshots are equal when, and only when, no key was created, removed, rewritten
    with another value or given another expiry between them. A key that expires between
    them makes them differ. The server should have no other writer meanwhile. (DUMP
    lists a set or hash of more than some hundred members in the order of its table; a
    table that is growing may be read in two orders without a change.)
    """
    raw: dict[str, Any] = {NEVER_DECODE: []}
    execute: Any = client.execute_command
    keys: list[bytes] = execute("KEYS", "*", **raw)
    with client.pipeline(transaction=False) as pipe:
        queue: Any = pipe.execute_command
        for key in keys:
            queue("TYPE", key, **raw)
            queue("DUMP", key, **raw)
            queue("PEXPIRETIME", key, **raw)
        replies: list[Any] = pipe.execute()
    rows = zip(keys, replies[::3], replies[1::3], replies[2::3], strict=True)
    return {
        key: Entry(kind.decode(), value, expires_at if expires_at >= 0 else None)
        for key, kind, value, expires_at in rows
        if value is not None  # it expired since KEYS
    }
