"""The scripts of `lock` on a full server, behind a faulty network, and on states not theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from redislua.bindings import lock
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run, warm
from tests.runtime.proxy import Proxy

LOCK, FENCE, WAKE = "lock:{n}:lock", "lock:{n}:fence", "lock:{n}:wake"

ACQUIRE = lock.acquire(name="n", owner="a", hold=60_000)
OTHER = lock.acquire(name="n", owner="b", hold=60_000)
EXTEND = lock.extend(name="n", owner="a", hold=60_000)
RELEASE = lock.release(name="n", owner="a")
INSPECT = lock.inspect(name="n")


# --- a full server ---------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [0, 1_000])
def test_a_lock_is_given_back_on_a_full_server(
    client: redis.Redis, make_full: Callable[[], None], grace: int
) -> None:
    """P30: without its flag the release itself failed, and the lock stayed."""
    run(client, ACQUIRE)
    make_full()

    assert isinstance(run(client, INSPECT), lock.InspectHeld)
    released = run(client, lock.release(name="n", owner="a", grace=grace))
    assert released == lock.ReleaseReleased()
    assert isinstance(run(client, INSPECT), lock.InspectFree)
    assert client.llen(WAKE) == 1


@pytest.mark.parametrize("called", [ACQUIRE, OTHER, EXTEND], ids=["again", "other", "extend"])
def test_a_full_server_refuses_all_else_before_anything_is_written(
    client: redis.Redis,
    make_full: Callable[[], None],
    dataset: Callable[[], object],
    called: Call[Any],
) -> None:
    run(client, ACQUIRE)
    before = dataset()
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, called)
    assert dataset() == before


# --- lost replies ------------------------------------------------------------------------------


def test_a_lost_reply_does_not_lose_the_lock(client: redis.Redis, proxy: Proxy) -> None:
    """P27: redis-py's own lock answered False while the server held it for the caller."""
    warm(client, lock)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")
        reply = run(faulty, ACQUIRE)

        assert proxy.met == 1
        assert isinstance(reply, lock.AcquireAcquired)
        assert reply.replayed
        held = run(client, INSPECT)
        assert isinstance(held, lock.InspectHeld)
        assert (held.owner, held.fence) == ("a", reply.fence)


def test_a_release_whose_reply_was_lost_wakes_once(client: redis.Redis, proxy: Proxy) -> None:
    """The second execution finds nothing to release, says so, and pushes nothing."""
    warm(client, lock)
    run(client, ACQUIRE)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")
        reply = run(faulty, RELEASE)

    assert proxy.met == 1
    assert reply == lock.ReleaseAlreadyFree()
    assert client.llen(WAKE) == 1


# --- states of something else ------------------------------------------------------------------


READ = {
    "again": (ACQUIRE, "vofh"),
    "acquire": (OTHER, "vofh"),
    "extend": (EXTEND, "voh"),
    "release": (RELEASE, "vofh"),
    "inspect": (INSPECT, "vofh"),
}
"""Calls, and the fields that each reads."""


@pytest.mark.parametrize(
    ("called", "field", "value"),
    [
        pytest.param(called, field, value, id=f"{name}-{field}-{value}")
        for name, (called, fields) in READ.items()
        for field, value in [*((field, None) for field in fields), ("v", "2"), ("v", "1.0")]
    ],
)
def test_a_broken_field_is_an_error_and_nothing_changes(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    field: str,
    value: str | None,
) -> None:
    run(client, ACQUIRE)
    if value is None:
        client.hdel(LOCK, field)
    else:
        client.hset(LOCK, field, value)
    before = dataset()

    with pytest.raises(lock.BadStateError):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize("field", ["f", "h"])
@pytest.mark.parametrize("value", ["", "x", "-1", "1e3", "9007199254740992"])
def test_a_number_that_is_none_is_an_error_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], field: str, value: str
) -> None:
    run(client, ACQUIRE)
    client.hset(LOCK, field, value)
    before = dataset()

    with pytest.raises(lock.BadStateError):
        run(client, OTHER)
    assert dataset() == before


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "1e3", "9007199254740992"])
def test_a_fence_that_is_no_number_is_an_error_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], value: str
) -> None:
    client.set(FENCE, value, px=60_000)
    before = dataset()

    with pytest.raises(lock.BadStateError, match="fence"):
        run(client, ACQUIRE)
    assert dataset() == before


# --- arguments past the binding ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "index", "value"),
    [
        (ACQUIRE, 0, b""),
        (ACQUIRE, 0, b"x" * 49),
        (ACQUIRE, 2, b"1" * 17),
        (EXTEND, 0, b""),
        (EXTEND, 0, b"x" * 49),
        (EXTEND, 2, b"add"),
        (EXTEND, 2, b""),
        (RELEASE, 0, b""),
        (RELEASE, 0, b"x" * 49),
    ],
)
def test_a_bad_argument_past_the_binding_is_refused_before_any_write(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    index: int,
    value: bytes,
) -> None:
    run(client, ACQUIRE)
    args = list(called.args)
    args[index] = value
    before = dataset()

    with pytest.raises(lock.BadArgumentError):
        run(client, Call(called.script, called.keys, tuple(args), called.decode))
    assert dataset() == before


def test_the_server_itself_forbids_inspect_to_write(client: redis.Redis) -> None:
    """EVAL_RO refuses a script without the no-writes flag, as a replica would."""
    run(client, ACQUIRE)

    raw = client.eval_ro(INSPECT.script.source.decode(), len(INSPECT.keys), *INSPECT.keys)

    assert INSPECT.script.read_only
    assert isinstance(INSPECT.decode(raw), lock.InspectHeld)
