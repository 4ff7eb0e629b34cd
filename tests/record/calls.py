"""Calls of `record` on one key, in fewer words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

from redislua.bindings import record
from redislua.runtime import Call

__all__ = ["HOUR", "KEY", "get", "increment", "patch", "put", "remove", "seen"]

KEY = "record:{k}:fields"
HOUR = timedelta(hours=1)


def put(
    fields: Mapping[str, bytes],
    mode: Literal["any", "absent", "present"] = "any",
    ttl: timedelta | int = HOUR,
) -> Call[record.PutReply]:
    """Store it whole."""
    return record.put(key="k", ttl=ttl, mode=mode, fields=fields)


def patch(
    sets: Mapping[str, bytes] | None = None,
    deletes: Iterable[str] = (),
    ttl: timedelta | None = None,
    renew: Literal["always", "longer"] = "always",
    max_fields: int = 64,
) -> Call[record.PatchReply]:
    """Change fields."""
    return record.patch(
        key="k",
        ttl=ttl,
        renew=renew,
        max_fields=max_fields,
        sets=sets or {},
        deletes=[record.PatchDeletesRow(field) for field in deletes],
    )


def increment(
    field: str = "n",
    amount: int = 1,
    floor: int | None = None,
    cap: int | None = None,
    create_ttl: timedelta | None = None,
) -> Call[record.IncrementReply]:
    """Add."""
    return record.increment(
        key="k", field=field, amount=amount, floor=floor, cap=cap, create_ttl=create_ttl
    )


def get(*names: str) -> Call[record.GetReply]:
    """Read."""
    return record.get(key="k", names=[record.GetNamesRow(name) for name in names])


def remove() -> Call[record.RemoveReply]:
    """Remove."""
    return record.remove(key="k")


def seen(reply: record.GetReply) -> dict[str, bytes] | None:
    """What a read found."""
    if isinstance(reply, record.GetMissing):
        return None
    return {row.field: row.value for row in reply.fields}
