"""The scripts of `cache` on keys of another type, and on states they did not write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import redis

from redislua.bindings import cache
from redislua.errors import WrongType
from redislua.runtime import Call, run

ENTRY = "cache:{k}:entry"
LEASE = "cache:{k}:lease"
DOCUMENT = "cache:{k}:document"

ASK = cache.get_or_lock(key="k", owner="a", hold=60_000)
FILL = cache.fill(key="k", owner="a", value=b"v", soft=60_000, hard=60_000)
ABANDON = cache.abandon(key="k", owner="a", cooldown=60_000)
DELETE = cache.invalidate(key="k")
MARK_STALE = cache.invalidate(key="k", mode="mark_stale")
READ = cache.read(key="k")
CREATE = cache.conditional_update(key="k", mode="create", value=b"v")
UPDATE = cache.conditional_update(key="k", mode="any", value=b"v")
FENCE = cache.conditional_update(key="k", mode="fence", expected="9", value=b"v")
REMOVE = cache.conditional_delete(key="k", mode="any")
LOOK = cache.conditional_read(key="k")

ON_ENTRY = {"ask": ASK, "fill": FILL, "delete": DELETE, "mark_stale": MARK_STALE, "read": READ}
ON_LEASE = {"ask": ASK, "fill": FILL, "abandon": ABANDON, "delete": DELETE, "stale": MARK_STALE}
ON_DOCUMENT = {
    "create": CREATE,
    "update": UPDATE,
    "fence": FENCE,
    "remove": REMOVE,
    "look": LOOK,
}
ON_KEY = [
    pytest.param(key, value, id=f"{name} on {key.rsplit(':', 1)[1]}")
    for key, calls in ((ENTRY, ON_ENTRY), (LEASE, ON_LEASE), (DOCUMENT, ON_DOCUMENT))
    for name, value in calls.items()
]
VERSIONED = [
    pytest.param(key, value, id=f"{name} on {key.rsplit(':', 1)[1]}")
    for key, calls in ((ENTRY, ON_ENTRY), (DOCUMENT, ON_DOCUMENT))
    for name, value in calls.items()
]


Dataset: TypeAlias = Callable[[], object]
Fetch: TypeAlias = Call[Any]


def prepare(client: redis.Redis, *calls: Fetch) -> None:
    for called in calls:
        run(client, called)


# --- other types, other formats --------------------------------------------------------------


@pytest.mark.parametrize(("key", "called"), ON_KEY)
def test_a_key_of_another_type_is_refused_and_nothing_changes(
    client: redis.Redis, dataset: Dataset, key: str, called: Fetch
) -> None:
    """UNLINK and SET take any type, so the scripts look before they write."""
    prepare(client, ASK, FILL, MARK_STALE, CREATE)  # stale, so that the lease matters
    client.delete(key)
    client.rpush(key, "not", "ours")
    before = dataset()

    with pytest.raises(WrongType):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize("format_number", ["2", "10", "", "1.0", None])
@pytest.mark.parametrize(("key", "called"), VERSIONED)
def test_a_state_of_another_format_is_refused_and_nothing_changes(
    client: redis.Redis, dataset: Dataset, key: str, called: Fetch, format_number: str | None
) -> None:
    prepare(client, ASK, FILL, CREATE)
    if format_number is None:
        client.hdel(key, "v")
    else:
        client.hset(key, "v", format_number)
    before = dataset()

    with pytest.raises(cache.BadStateError):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize(
    ("key", "field", "value", "called"),
    [
        (ENTRY, "d", None, ASK),
        (ENTRY, "s", "soon", ASK),
        (ENTRY, "x", None, ASK),
        (ENTRY, "t", "", ASK),
        (ENTRY, "d", None, READ),
        (ENTRY, "s", None, READ),
        (ENTRY, "t", "then", READ),
        (DOCUMENT, "n", None, UPDATE),
        (DOCUMENT, "n", "v7", UPDATE),
        (DOCUMENT, "n", "9007199254740992", UPDATE),
        (DOCUMENT, "f", "1e3", FENCE),
        (DOCUMENT, "n", None, REMOVE),
        (DOCUMENT, "f", "x", REMOVE),
        (DOCUMENT, "d", None, LOOK),
    ],
    ids=lambda value: value.script.name if isinstance(value, Call) else str(value),
)
def test_a_broken_field_is_an_error_and_never_a_fault(
    client: redis.Redis, dataset: Dataset, key: str, field: str, value: str | None, called: Fetch
) -> None:
    prepare(client, ASK, FILL, CREATE)
    if value is None:
        client.hdel(key, field)
    else:
        client.hset(key, field, value)
    before = dataset()

    with pytest.raises(cache.BadStateError):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize("called", [ASK, ABANDON], ids=["ask", "abandon"])
@pytest.mark.parametrize("lease", ["!", "!x:a", "!1", "!1:", "!1;a", "!-1:a"])
def test_a_lease_that_is_neither_held_nor_cooling_down_is_refused(
    client: redis.Redis, dataset: Dataset, lease: str, called: Fetch
) -> None:
    client.set(LEASE, lease, px=60_000)
    before = dataset()

    with pytest.raises(cache.BadStateError):
        run(client, called)
    assert dataset() == before
    assert run(client, DELETE) == cache.InvalidateInvalidated(existed=False)
    assert client.dbsize() == 0


def test_every_write_leaves_an_expiry_on_entry_and_lease(client: redis.Redis) -> None:
    for called in (ASK, ABANDON, DELETE, ASK, FILL, FILL, MARK_STALE, ASK, ASK, FILL, ASK):
        run(client, called)
        for key in client.scan_iter("*"):
            assert client.pttl(key) > 0, (called.script.name, key)
