"""Jobs that are given up, and what an eviction leaves of a queue."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from redislua.bindings import queue
from redislua.runtime import Call, run

from .test_queue_family import ack, claim, claimed, end_the_leases, nack, schedule


def list_dead(start: int = 0, count: int = 100) -> Call[Any]:
    return queue.list_dead(name="q", start=start, count=count)


def dead_ids(listed: Any) -> list[str]:
    return [row.id for row in listed.rows]


# --- how a job dies -----------------------------------------------------------------------------


def test_a_job_that_kills_its_workers_is_given_up(call: Any, client: Any) -> None:
    """Nobody lives to give it back, so the claims count."""
    call(schedule("poison"))
    for attempt in (1, 2, 3):
        assert call(claim(f"w{attempt}", max_attempts=3)) == claimed(("poison", attempt, b"p"))
        end_the_leases(client)

    assert call(claim("w4", max_attempts=3)) == queue.ClaimEmpty(1, None)
    assert call(claim("w5", max_attempts=3)) == queue.ClaimEmpty(0, None)
    listed = call(list_dead())
    assert [(row.id, row.attempts, row.payload) for row in listed.rows] == [("poison", 3, b"p")]


def test_jobs_that_die_are_counted_beside_those_that_are_claimed(call: Any, client: Any) -> None:
    for id_ in ("a", "b"):
        call(schedule(id_, run_at=1_000))
    call(claim("w1", 2))
    end_the_leases(client)
    for id_ in ("c", "d"):
        call(schedule(id_, run_at=1_000))

    assert call(claim("w2", 3, max_attempts=1)) == claimed(("c", 1, b"p"), died=2)
    assert call(claim("w3", 3, max_attempts=1)) == claimed(("d", 1, b"p"))


def test_when_all_that_a_claim_looks_at_dies_the_next_is_told_to_come_at_once(
    call: Any, client: Any
) -> None:
    for id_ in ("a", "b"):
        call(schedule(id_, run_at=1_000))
    call(claim("w1", 2))
    end_the_leases(client)
    call(schedule("c", run_at=1_000))

    reply = call(claim("w2", 2, max_attempts=1))

    assert (type(reply), reply.died) == (queue.ClaimEmpty, 2)
    assert reply.next_after.total_seconds() == 0
    assert call(claim("w2", 2, max_attempts=1)) == claimed(("c", 1, b"p"))


def test_a_job_that_was_given_back_too_often_is_given_up(call: Any) -> None:
    call(schedule("a"))
    for attempt in (1, 2):
        call(claim(f"w{attempt}"))
        reply = call(nack("a", f"w{attempt}", max_attempts=2))
        assert isinstance(reply, queue.NackRetried) == (attempt == 1)

    assert reply == queue.NackDead(2)
    assert call(nack("a", "w2", max_attempts=25)) == queue.NackDead(2)
    assert call(claim("w3")) == queue.ClaimEmpty(0, None)


def test_a_dead_job_whose_work_was_done_is_ended(call: Any, client: Any) -> None:
    """The worker was slow, not dead."""
    call(schedule("a"))
    call(claim("w1"))
    end_the_leases(client)
    call(claim("w2", max_attempts=1))
    assert dead_ids(call(list_dead())) == ["a"]

    assert call(ack("a", "w1")) == queue.AckAcked()
    assert client.dbsize() == 0


# --- what is kept -------------------------------------------------------------------------------


def die(call: Any, *ids: str, keep_dead: int = 1_000) -> None:
    """Have jobs die one after the other."""
    for id_ in ids:
        call(schedule(id_, id_.encode()))
        call(claim(f"of {id_}"))
        call(nack(id_, f"of {id_}", max_attempts=1, keep_dead=keep_dead))


def spread(client: Any, *ids: str) -> None:
    """As if they had not died in the same millisecond."""
    client.zadd(list_dead().keys[1], {id_: 1_000 + number for number, id_ in enumerate(ids)})


def test_the_last_that_died_are_kept_and_the_others_are_gone(call: Any, client: Any) -> None:
    die(call, "a", "b", "c")
    spread(client, "a", "b", "c")
    die(call, "d", keep_dead=2)

    assert dead_ids(call(list_dead())) == ["d", "c"]
    call(queue.remove(name="q", id="c"))
    die(call, "e", keep_dead=2)
    assert set(dead_ids(call(list_dead()))) == {"d", "e"}
    assert client.hlen(list_dead().keys[0]) == 1 + 2 * 2
    for id_ in ("a", "b"):
        assert call(queue.remove(name="q", id=id_)) == queue.RemoveMissing()


def test_a_claim_keeps_as_few_as_a_nack(call: Any, client: Any) -> None:
    die(call, "a", "b")
    spread(client, "a", "b")
    call(schedule("c"))
    call(claim("w1"))
    end_the_leases(client)

    assert call(claim("w2", max_attempts=1, keep_dead=2)).died == 1
    assert dead_ids(call(list_dead())) == ["c", "b"]
    assert client.hlen(list_dead().keys[0]) == 1 + 2 * 2


@pytest.mark.parametrize("how", ["claim", "nack"])
def test_when_none_are_kept_nothing_is_left(call: Any, client: Any, how: str) -> None:
    call(schedule("a"))
    call(claim("w1"))
    if how == "claim":
        end_the_leases(client)
        assert call(claim("w2", max_attempts=1, keep_dead=0)) == queue.ClaimEmpty(1, None)
    else:
        assert call(nack("a", "w1", max_attempts=1, keep_dead=0)) == queue.NackDead(1)

    assert client.dbsize() == 0


@pytest.mark.parametrize("how", ["claim", "nack"])
def test_one_call_drops_128_dead_jobs_at_most(client: redis.Redis, how: str) -> None:
    """Each may be of 64 KiB: all at once would hold the server."""
    keys = list_dead().keys
    payloads: dict[Any, Any] = {f"p:d{number}": b"\x01tp" for number in range(300)}
    client.hset(keys[0], mapping={"v": 1, **payloads})
    client.zadd(keys[1], {f"d{number}": number for number in range(300)})
    run(client, schedule("a"))
    run(client, claim("w1"))

    if how == "claim":
        run(client, claim("w2", keep_dead=0))
        assert (client.zcard(keys[1]), client.zscore(keys[1], "d128")) == (172, 128)
    else:
        run(client, nack("a", "w1", max_attempts=1, keep_dead=0))
        assert (client.zcard(keys[1]), client.zscore(keys[1], "d128")) == (173, 128)
    for _ in range(2):
        run(client, claim("w3", keep_dead=0))
    assert client.zcard(keys[1]) == 0


# --- looking at them ----------------------------------------------------------------------------


def test_the_dead_are_listed_in_pages_the_last_one_first(call: Any, client: Any) -> None:
    ids = [f"{number:02}" for number in range(25)]
    die(call, *ids)
    spread(client, *ids)

    pages = [call(list_dead(start, 10)) for start in (0, 10, 20, 30)]

    assert {page.total for page in pages} == {25}
    assert [len(page.rows) for page in pages] == [10, 10, 5, 0]
    assert [id_ for page in pages for id_ in dead_ids(page)] == ids[::-1]
    assert [row.died_at for page in pages for row in page.rows] == [*range(1_024, 999, -1)]


def test_a_page_stops_at_96_kib_of_payload(call: Any, client: Any) -> None:
    for number in range(5):
        call(schedule(f"{number}", b"x" * 40_000, run_at=number))
        call(claim("w"))
        call(nack(f"{number}", "w", max_attempts=1))
    spread(client, "0", "1", "2", "3", "4")

    assert dead_ids(call(list_dead())) == ["4", "3"]
    assert dead_ids(call(list_dead(2))) == ["2", "1"]
    assert dead_ids(call(list_dead(4))) == ["0"]


def test_a_dead_job_gets_another_chance(call: Any) -> None:
    die(call, "a")
    row = call(list_dead()).rows[0]

    call(schedule(row.id, row.payload, mode="replace"))

    assert call(list_dead()) == queue.ListDeadListed(0, ())
    assert call(claim("w2")) == claimed(("a", 1, b"a"))


def test_a_queue_is_counted(call: Any) -> None:
    die(call, "dead")
    call(schedule("held"))
    call(claim("w1"))
    call(schedule("later", delay=3_600_000))
    counts = call(queue.inspect(name="q"))

    assert (counts.due, counts.ready, counts.in_flight, counts.dead) == (1, 0, 1, 1)
    assert 3_500 < counts.next_after.total_seconds() <= 3_600
    call(schedule("now", run_at=1_000))
    counts = call(queue.inspect(name="q"))
    assert (counts.due, counts.ready, counts.next_after.total_seconds()) == (2, 1, 0)


# --- after an eviction --------------------------------------------------------------------------


def test_when_all_jobs_were_evicted_nothing_is_left_of_the_queue(call: Any, client: Any) -> None:
    """P33: a server that evicts loses the queue; what is left of it must not stop the next one."""
    die(call, "a")
    call(schedule("b"))
    call(claim("w1"))
    call(schedule("c"))
    call(schedule("d", delay=3_600_000))
    client.delete(claim("w1").keys[2])

    assert call(claim("w1")) == queue.ClaimEmpty(3, None)
    assert client.dbsize() == 0


def test_jobs_without_their_payload_are_dropped_and_do_not_hold_up_the_others(
    call: Any, client: Any
) -> None:
    for number, id_ in enumerate(("a", "b", "c", "d")):
        call(schedule(id_, run_at=1_000 + number))
    call(claim("w1", 1))
    end_the_leases(client)
    client.hdel(claim("w1").keys[2], "p:a", "s:a", "p:b")

    assert call(claim("w2", 3)) == claimed(("c", 1, b"p"), died=2)
    assert call(claim("w3", 3)) == claimed(("d", 1, b"p"))
    for id_, receipt in (("c", "w2"), ("d", "w3")):
        call(ack(id_, receipt))
    call(schedule("e", delay=3_600_000))
    assert isinstance(call(claim("w4")), queue.ClaimEmpty)
    assert client.dbsize() == 2  # what is due, and its payload


@pytest.mark.parametrize("lost", ["due", "inflight", "dead"])
def test_a_job_that_lost_its_place_can_be_scheduled_anew(call: Any, client: Any, lost: str) -> None:
    call(schedule("a", b"old"))
    if lost != "due":
        call(claim("w1"))
    if lost == "dead":
        call(nack("a", "w1", max_attempts=1))
    client.delete(f"queue:{{q}}:{lost}")

    assert isinstance(call(schedule("a", b"new")), queue.ScheduleScheduled)
    assert call(claim("w2")) == claimed(("a", 1, b"new"))


def test_a_dead_job_whose_payload_was_evicted_is_still_listed(call: Any, client: Any) -> None:
    die(call, "a", "b")
    spread(client, "a", "b")
    client.hdel(list_dead().keys[0], "p:a", "s:a")

    rows = call(list_dead()).rows
    assert [(row.id, row.attempts, row.payload) for row in rows] == [("b", 1, b"b"), ("a", 0, b"")]


# --- the clock ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_ms", [86_400_000 + 60_000, 10**12])
def test_a_lease_from_before_the_clock_was_set_back_locks_nobody_out(
    call: Any, client: Any, ahead_ms: int
) -> None:
    """No lease is longer than a day, so one that ends later is over."""
    call(schedule("a"))
    call(claim("w1"))
    key = claim("w1").keys[1]
    client.zadd(key, {"a": client.zscore(key, "a") + ahead_ms})

    assert call(claim("w2")) == claimed(("a", 2, b"p"))
    assert call(queue.inspect(name="q")).in_flight == 1
    assert call(claim("w3")).next_after.total_seconds() <= 60


def test_whoever_holds_such_a_lease_gets_the_one_it_asks_for(call: Any, client: Any) -> None:
    key = claim("w1").keys[1]
    for again in (claim("w1"), queue.renew(name="q", receipt="w1", lease=60_000)):
        client.flushall()
        call(schedule("a"))
        call(claim("w1"))
        client.zadd(key, {"a": client.zscore(key, "a") + 10**12})
        call(again)

        assert call(claim("w2")).next_after.total_seconds() <= 60
