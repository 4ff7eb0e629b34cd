"""The scripts of `idempotency` on a full server, behind a faulty network, on broken states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from redislua.bindings import idempotency as idem
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run, warm
from tests.rig.listener import Listener
from tests.runtime.proxy import Proxy

KEY, CHANNEL = "idempotency:{k}:request", "idempotency:{k}:ended"
HOLD, DAY = 60_000, 86_400_000

BEGIN = idem.begin(key="k", owner="a", hold=HOLD, ttl=DAY, fingerprint="f")
OTHER = idem.begin(key="k", owner="b", hold=HOLD, ttl=DAY, fingerprint="f")
EXTEND = idem.extend(key="k", owner="a", hold=DAY)
COMPLETE = idem.complete(key="k", owner="a", response=b"r", ttl=DAY)
GIVE_BACK = idem.fail(key="k", owner="a", mode="retry")
FAIL = idem.fail(key="k", owner="a", mode="final", response=b"no")


# --- a full server ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "kind"),
    [
        (GIVE_BACK, idem.FailReleased),
        (FAIL, idem.FailFailed),
        (EXTEND, idem.ExtendExtended),
    ],
    ids=["give back", "fail", "extend"],
)
def test_an_attempt_is_ended_or_prolonged_on_a_full_server(
    client: redis.Redis, make_full: Callable[[], None], called: Call[Any], kind: type
) -> None:
    """P30; and an owner that could not prolong its hold would have its work done twice."""
    run(client, BEGIN)
    make_full()

    assert isinstance(run(client, called), kind)
    assert client.pttl(KEY) > 0


@pytest.mark.parametrize("called", [BEGIN, OTHER, COMPLETE], ids=["again", "other", "complete"])
def test_a_full_server_refuses_all_else_before_anything_is_written(
    client: redis.Redis,
    make_full: Callable[[], None],
    dataset: Callable[[], object],
    called: Call[Any],
) -> None:
    run(client, BEGIN)
    before = dataset()
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, called)
    assert dataset() == before


# --- lost replies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "called", "expected"),
    [
        ([], BEGIN, idem.BeginStarted(1, replayed=True)),
        ([BEGIN], COMPLETE, idem.CompleteCompleted(replayed=True)),
        ([BEGIN], FAIL, idem.FailFailed(replayed=True)),
        ([BEGIN], GIVE_BACK, idem.FailReleased()),
    ],
    ids=["begin", "complete", "fail", "give back"],
)
def test_a_lost_reply_is_harmless(
    client: redis.Redis, proxy: Proxy, before: list[Call[Any]], called: Call[Any], expected: object
) -> None:
    """P26, P27: the second execution knows the first one's owner."""
    warm(client, idem)
    for one in before:
        run(client, one)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")
        reply = run(faulty, called)

    assert proxy.met == 1
    assert reply == expected


# --- a channel -------------------------------------------------------------------------------


@pytest.fixture
def listener(client: redis.Redis) -> Iterator[Listener]:
    """Whoever waits for the key."""
    with Listener(client, CHANNEL) as listening:
        yield listening


@pytest.mark.parametrize(
    ("waking", "word"), [(COMPLETE, b"completed"), (FAIL, b"failed"), (GIVE_BACK, b"released")]
)
def test_whoever_waits_is_woken_once_by_each_end(
    client: redis.Redis, listener: Listener, waking: Call[Any], word: bytes
) -> None:
    for one in (waking, BEGIN, OTHER, EXTEND):
        run(client, one)
    assert listener.heard() == []

    run(client, waking)
    run(client, waking)

    assert listener.heard() == [word]


# --- states of something else ----------------------------------------------------------------


@pytest.mark.parametrize("called", [BEGIN, OTHER], ids=["again", "other"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", "1.0"),
        ("v", ""),
        ("s", None),
        ("s", "paused"),
        ("p", None),
        ("o", None),
        ("n", None),
        ("n", "0"),
        ("n", "1e3"),
        ("n", "9007199254740991"),
        ("l", None),
        ("l", "-1"),
        ("l", "soon"),
    ],
)
def test_a_broken_field_is_an_error_and_nothing_changes(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    field: str,
    value: str | None,
) -> None:
    run(client, BEGIN)
    if value is None:
        client.hdel(KEY, field)
    else:
        client.hset(KEY, field, value)
    before = dataset()

    with pytest.raises(idem.BadStateError):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize(
    ("called", "field"),
    [
        (COMPLETE, "s"),
        (COMPLETE, "o"),
        (FAIL, "s"),
        (GIVE_BACK, "o"),
        (EXTEND, "s"),
        (EXTEND, "l"),
    ],
)
def test_a_missing_field_is_an_error_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], called: Call[Any], field: str
) -> None:
    run(client, BEGIN)
    client.hdel(KEY, field)
    before = dataset()

    with pytest.raises(idem.BadStateError):
        run(client, called)
    assert dataset() == before


def test_an_end_without_its_response_is_an_error(client: redis.Redis) -> None:
    run(client, BEGIN)
    run(client, COMPLETE)
    client.hdel(KEY, "r")

    with pytest.raises(idem.BadStateError, match="response"):
        run(client, OTHER)


# --- arguments past the binding --------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "index", "value"),
    [
        (OTHER, 0, b""),
        (OTHER, 0, b"x" * 49),
        (OTHER, 3, b"x" * 65),
        (COMPLETE, 0, b""),
        (COMPLETE, 0, b"x" * 49),
        (COMPLETE, 1, b"x" * 262_145),
        (COMPLETE, 3, b""),
        (FAIL, 0, b""),
        (FAIL, 0, b"x" * 49),
        (FAIL, 1, b"never"),
        (FAIL, 1, b""),
        (FAIL, 2, b"x" * 4_097),
        (FAIL, 4, b""),
        (GIVE_BACK, 2, b"no"),
        (EXTEND, 0, b""),
        (EXTEND, 0, b"x" * 49),
    ],
)
def test_a_bad_argument_past_the_binding_is_refused_before_any_write(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    index: int,
    value: bytes,
) -> None:
    run(client, BEGIN)
    args = list(called.args)
    args[index] = value
    before = dataset()

    with pytest.raises(idem.BadArgumentError):
        run(client, Call(called.script, called.keys, tuple(args), called.decode))
    assert dataset() == before
