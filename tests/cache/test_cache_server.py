"""The scripts of `cache` on a full server, on a channel, and where nothing may be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from redislua.bindings import cache
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.rig.listener import Listener

CHANNEL = "cache:{k}:filled"

ASK = cache.get_or_lock(key="k", owner="a", hold=60_000)
FILL = cache.fill(key="k", owner="a", value=b"v", soft=60_000, hard=60_000)
ABANDON = cache.abandon(key="k", owner="a", cooldown=60_000)
DELETE = cache.invalidate(key="k")
MARK_STALE = cache.invalidate(key="k", mode="mark_stale")
READ = cache.read(key="k")
CREATE = cache.conditional_update(key="k", mode="create", value=b"v")
UPDATE = cache.conditional_update(key="k", mode="any", value=b"v")
REMOVE = cache.conditional_delete(key="k", mode="any")
LOOK = cache.conditional_read(key="k")


def prepare(client: redis.Redis, *calls: Call[Any]) -> None:
    for called in calls:
        run(client, called)


# --- a full server ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "freeing", "expected"),
    [
        ([ASK], ABANDON, cache.AbandonReleased(fails=1)),
        ([ASK, FILL], DELETE, cache.InvalidateInvalidated(existed=True)),
        ([ASK, FILL], MARK_STALE, cache.InvalidateInvalidated(existed=True)),
        ([CREATE], REMOVE, cache.ConditionalDeleteDeleted()),
    ],
    ids=["abandon", "delete", "mark_stale", "conditional_delete"],
)
def test_what_ends_or_undoes_something_works_on_a_full_server(
    client: redis.Redis,
    make_full: Callable[[], None],
    before: list[Call[Any]],
    freeing: Call[Any],
    expected: object,
) -> None:
    prepare(client, *before)
    make_full()

    assert run(client, freeing) == expected


def test_reading_works_on_a_full_server(client: redis.Redis, make_full: Callable[[], None]) -> None:
    prepare(client, ASK, FILL, CREATE)
    make_full()

    assert isinstance(run(client, READ), cache.ReadHit)
    assert isinstance(run(client, LOOK), cache.ConditionalReadFound)


@pytest.mark.parametrize("called", [ASK, FILL, UPDATE], ids=["ask", "fill", "update"])
def test_a_full_server_refuses_to_store_before_anything_is_written(
    client: redis.Redis,
    make_full: Callable[[], None],
    dataset: Callable[[], object],
    called: Call[Any],
) -> None:
    prepare(client, ASK, FILL, MARK_STALE, ASK, CREATE)
    before = dataset()
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, called)
    assert dataset() == before


# --- a channel -------------------------------------------------------------------------------


@pytest.fixture
def listener(client: redis.Redis) -> Iterator[Listener]:
    """Whoever waits for the key."""
    with Listener(client, CHANNEL) as listening:
        yield listening


@pytest.mark.parametrize(
    ("before", "waking", "word"),
    [
        ([ASK], FILL, b"filled"),
        ([ASK], ABANDON, b"abandoned"),
        ([ASK], DELETE, b"invalidated"),
        ([ASK, FILL], MARK_STALE, b"invalidated"),
    ],
    ids=["fill", "abandon", "delete", "mark_stale"],
)
def test_whoever_waits_is_woken_once(
    client: redis.Redis,
    listener: Listener,
    before: list[Call[Any]],
    waking: Call[Any],
    word: bytes,
) -> None:
    prepare(client, *before)
    listener.heard()

    run(client, waking)

    assert listener.heard() == [word]


def test_what_changes_nothing_wakes_nobody(client: redis.Redis, listener: Listener) -> None:
    prepare(client, FILL, ABANDON, ASK, READ)
    assert listener.heard() == []

    prepare(client, FILL, FILL, ASK)
    assert listener.heard() == [b"filled"]


# --- where nothing may be written ------------------------------------------------------------


@pytest.mark.parametrize("called", [READ, LOOK], ids=["read", "conditional_read"])
def test_the_server_itself_forbids_the_reading_scripts_to_write(
    client: redis.Redis, called: Call[Any]
) -> None:
    """EVAL_RO refuses a script without the no-writes flag, as a replica would."""
    prepare(client, ASK, FILL, CREATE)

    source = called.script.source.decode()
    raw = client.eval_ro(source, len(called.keys), *called.keys, *called.args)

    assert called.script.read_only
    assert type(called.decode(raw)) in (cache.ReadHit, cache.ConditionalReadFound)
