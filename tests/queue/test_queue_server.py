"""The scripts of `queue` on a full server, behind a faulty network, on broken states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from redislua.bindings import queue
from redislua.errors import OutOfMemory, WrongType
from redislua.runtime import Call, run, warm
from tests.rig.listener import Listener
from tests.runtime.proxy import Proxy

from .test_queue_family import ack, claim, claimed, nack, renew, schedule

DUE, INFLIGHT, JOBS, CLAIMS, DEAD = claim("w").keys

REMOVE = queue.remove(name="q", id="a")
INSPECT = queue.inspect(name="q")
LIST_DEAD = queue.list_dead(name="q")
REPLACE = schedule("a", b"new", mode="replace")


def prepare(client: redis.Redis, *calls: Call[Any]) -> None:
    for one in calls:
        run(client, one)


# --- a full server ---------------------------------------------------------------------------


def test_a_queue_is_emptied_on_a_full_server(
    client: redis.Redis, make_full: Callable[[], None]
) -> None:
    """P30; and were claims refused, the memory that a queue holds would never be free."""
    prepare(client, *(schedule(id_, b"x" * 1_000, run_at=1_000) for id_ in "abcd"))
    make_full()

    assert len(run(client, claim("w1", 3)).rows) == 3
    assert len(run(client, renew("w1")).rows) == 3
    assert run(client, ack("a", "w1")) == queue.AckAcked()
    assert isinstance(run(client, nack("b", "w1")), queue.NackRetried)
    assert run(client, nack("c", "w1", max_attempts=1)) == queue.NackDead(1)
    assert run(client, INSPECT) == queue.InspectCounts(2, 2, 0, 1, run(client, INSPECT).next_after)
    assert run(client, LIST_DEAD).total == 1
    for id_ in "bcd":
        assert isinstance(run(client, queue.remove(name="q", id=id_)), queue.RemoveRemoved)
    assert client.dbsize() == 0


@pytest.mark.parametrize("called", [schedule("b"), REPLACE], ids=["another", "replace"])
def test_a_full_server_takes_no_further_job_before_anything_is_written(
    client: redis.Redis,
    make_full: Callable[[], None],
    dataset: Callable[[], object],
    called: Call[Any],
) -> None:
    prepare(client, schedule("a"), claim("w1"))
    before = dataset()
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, called)
    assert dataset() == before


# --- lost replies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "called", "expected"),
    [
        ([], schedule("a"), queue.ScheduleReplayed()),
        ([schedule("a")], REPLACE, queue.ScheduleReplayed()),
        ([schedule("a")], claim("w1"), claimed(("a", 1, b"p"))),
        ([schedule("a"), claim("w1")], ack("a", "w1"), queue.AckGone()),
        ([schedule("a"), claim("w1")], nack("a", "w1", max_attempts=1), queue.NackDead(1)),
        (
            [schedule("a"), claim("w1")],
            renew("w1"),
            queue.RenewRenewed((queue.RenewRenewedRow("a"),)),
        ),
        ([schedule("a"), claim("w1")], REMOVE, queue.RemoveMissing()),
    ],
    ids=["schedule", "replace", "claim", "ack", "nack", "renew", "remove"],
)
def test_a_lost_reply_is_harmless(
    client: redis.Redis, proxy: Proxy, before: list[Call[Any]], called: Call[Any], expected: object
) -> None:
    """P26, P27: the second execution knows the first one's token or receipt."""
    warm(client, queue)
    prepare(client, *before)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")
        reply = run(faulty, called)

    assert proxy.met == 1
    assert reply == expected


# --- a channel -------------------------------------------------------------------------------


@pytest.fixture
def listener(client: redis.Redis) -> Iterator[Listener]:
    """A worker that waits for a job."""
    with Listener(client, "queue:{q}:sooner") as listening:
        yield listening


def test_whoever_waits_is_woken_when_a_job_is_due_before_all_others(
    client: redis.Redis, listener: Listener
) -> None:
    steps = [
        (schedule("a", run_at=5_000), [b"scheduled"]),
        (schedule("b", run_at=5_000), []),
        (schedule("c", run_at=6_000), []),
        (schedule("d", run_at=4_999), [b"scheduled"]),
        (schedule("d", run_at=1), []),
        (schedule("d", run_at=7_000, mode="replace"), []),
        (schedule("c", run_at=4_000, mode="replace"), [b"scheduled"]),
        (claim("w1", 100), []),
        (renew("w1"), []),
        (nack("c", "w1", delay=60_000), [b"retried"]),
        (nack("c", "w1", delay=60_000), []),
        (nack("b", "w1", delay=90_000), []),
        (nack("a", "w1", delay=30_000), [b"retried"]),
        (schedule("e", run_at=1), [b"scheduled"]),
        (schedule("e", run_at=1, mode="replace"), []),
        (nack("d", "w1", max_attempts=1), []),
        (queue.remove(name="q", id="a"), []),
        (ack("b", "w1"), []),
    ]
    for number, (one, words) in enumerate(steps):
        run(client, one)
        assert listener.heard() == words, number


# --- states of something else ----------------------------------------------------------------

EACH = {
    "schedule": schedule("z"),
    "replace": REPLACE,
    "claim": claim("w2", 10),
    "claim again": claim("w1", 10),
    "ack": ack("a", "w1"),
    "nack": nack("a", "w1"),
    "renew": renew("w1"),
    "renew one": renew("w1", id="a"),
    "remove": REMOVE,
    "inspect": INSPECT,
    "list_dead": LIST_DEAD,
}


@pytest.mark.parametrize(
    ("called", "key"),
    [
        pytest.param(called, key, id=f"{name}-{key.decode().rsplit(':', 1)[1]}")
        for name, called in EACH.items()
        for key in called.keys
    ],
)
def test_a_key_of_another_type_is_refused_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], called: Call[Any], key: bytes
) -> None:
    """In a queue that is in use, where there would be much to write before."""
    prepare(client, *(schedule(id_, run_at=1_000) for id_ in "abcd"), claim("w1", 2), claim("w3"))
    prepare(client, nack("c", "w3", max_attempts=1))
    client.delete(key)
    client.rpush(key, "not", "ours")
    before = dataset()

    with pytest.raises(WrongType):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize("called", [one for name, one in EACH.items() if name != "inspect"])
@pytest.mark.parametrize("number", ["2", "1.0", "", None])
def test_jobs_of_another_format_are_refused_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], called: Call[Any], number: str | None
) -> None:
    prepare(client, schedule("a"), schedule("b"), claim("w1"))
    if number is None:
        client.hdel(JOBS, "v")
    else:
        client.hset(JOBS, "v", number)
    before = dataset()

    with pytest.raises(queue.BadStateError):
        run(client, called)
    assert dataset() == before


@pytest.mark.parametrize("state", ["", "x", "1:1", "-1:1:w1", "::w1", "1:0:w1", "1:101:w1"])
def test_who_claimed_a_job_that_does_not_say_so_has_lost_it(
    client: redis.Redis, state: str
) -> None:
    """A state that cannot be read counts as none; it never makes a script fail half way."""
    prepare(client, schedule("a", run_at=1_000), claim("w1"))
    client.hset(JOBS, "s:a", state)
    client.zadd(INFLIGHT, {"a": 1})

    for one in EACH.values():
        run(client, one)
    assert run(client, REMOVE) in (
        queue.RemoveMissing(),
        queue.RemoveRemoved("due"),
        queue.RemoveRemoved("in_flight"),
    )


# --- arguments past the binding --------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "index", "value"),
    [
        (REPLACE, 0, b""),
        (REPLACE, 0, b"x" * 65),
        (REPLACE, 1, b"x" * 65_537),
        (REPLACE, 4, b"always"),
        (REPLACE, 5, b""),
        (REPLACE, 5, b"t" * 33),
        (REPLACE, 6, b""),
        (schedule("z", delay=1), 3, b"1000"),
        (claim("w2"), 0, b""),
        (claim("w2"), 0, b"x" * 49),
        (ack("a", "w1"), 0, b""),
        (ack("a", "w1"), 0, b"x" * 65),
        (ack("a", "w1"), 1, b""),
        (ack("a", "w1"), 1, b"x" * 49),
        (nack("a", "w1"), 0, b""),
        (nack("a", "w1"), 0, b"x" * 65),
        (nack("a", "w1"), 1, b""),
        (nack("a", "w1"), 1, b"x" * 49),
        (nack("a", "w1"), 5, b""),
        (renew("w1"), 0, b""),
        (renew("w1"), 0, b"x" * 49),
        (renew("w1"), 2, b"x" * 65),
        (REMOVE, 0, b""),
        (REMOVE, 0, b"x" * 65),
    ],
)
def test_a_bad_argument_past_the_binding_is_refused_before_any_write(
    client: redis.Redis,
    dataset: Callable[[], object],
    called: Call[Any],
    index: int,
    value: bytes,
) -> None:
    prepare(client, schedule("a", run_at=1_000), schedule("b", run_at=2_000), claim("w1"))
    args = list(called.args)
    args[index] = value
    before = dataset()

    with pytest.raises(queue.BadArgumentError):
        run(client, Call(called.script, called.keys, tuple(args), called.decode))
    assert dataset() == before


@pytest.mark.parametrize("called", [INSPECT, LIST_DEAD], ids=["inspect", "list_dead"])
def test_the_server_itself_forbids_the_reading_scripts_to_write(
    client: redis.Redis, called: Call[Any]
) -> None:
    """EVAL_RO refuses a script without the no-writes flag, as a replica would."""
    prepare(client, schedule("a"), claim("w1"), nack("a", "w1", max_attempts=1))

    source = called.script.source.decode()
    raw = client.eval_ro(source, len(called.keys), *called.keys, *called.args)

    assert called.script.read_only
    assert isinstance(called.decode(raw), queue.InspectCounts | queue.ListDeadListed)
