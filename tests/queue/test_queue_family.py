"""The scripts of `queue`: who gets which job, and what becomes of it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import queue
from redislua.runtime import Call

LEASE = 60_000
BINARY = b"\x00\xff{not utf-8}\r\n\x00"

ms = timedelta(milliseconds=1)


def schedule(id_: str, payload: bytes = b"p", **arguments: Any) -> Call[Any]:
    return queue.schedule(name="q", id=id_, payload=payload, **arguments)


def claim(receipt: str, count: int = 1, lease: int = LEASE, **arguments: Any) -> Call[Any]:
    return queue.claim(name="q", receipt=receipt, lease=lease, count=count, **arguments)


def ack(id_: str, receipt: str) -> Call[Any]:
    return queue.ack(name="q", id=id_, receipt=receipt)


def nack(id_: str, receipt: str, **arguments: Any) -> Call[Any]:
    return queue.nack(name="q", id=id_, receipt=receipt, **arguments)


def renew(receipt: str, lease: int = LEASE, **arguments: Any) -> Call[Any]:
    return queue.renew(name="q", receipt=receipt, lease=lease, **arguments)


def claimed(*rows: tuple[str, int, bytes], died: int = 0) -> queue.ClaimClaimed:
    return queue.ClaimClaimed(died, tuple(queue.ClaimClaimedRow(*row) for row in rows))


def end_the_leases(client: Any) -> None:
    """As if their time had come."""
    key = queue.claim_keys(name="q").inflight
    client.zadd(key, dict.fromkeys(client.zrange(key, 0, -1), 1))


@pytest.fixture
def three(call: Any) -> None:
    """Jobs a, b and c, which are due in this order."""
    for number, id_ in enumerate(("a", "b", "c")):
        call(schedule(id_, id_.encode(), run_at=1_000 + number))


# --- when and in what order ---------------------------------------------------------------------


def test_a_job_is_claimed_once_it_is_due_and_not_before(call: Any) -> None:
    now = call(schedule("now", BINARY))
    later = call(schedule("later", delay=3_600_000))

    assert later.run_at - now.run_at >= 3_600_000
    assert call(claim("w1", 10)) == claimed(("now", 1, BINARY))
    empty = call(claim("w2", 10))
    assert isinstance(empty, queue.ClaimEmpty)
    assert empty.next_after is not None
    assert 0 * ms < empty.next_after <= LEASE * ms


def test_jobs_are_claimed_in_the_order_in_which_they_are_due(call: Any) -> None:
    for id_, run_at in (("z", 1_000), ("late", 3_000), ("mid", 2_000), ("a", 1_000)):
        assert call(schedule(id_, run_at=run_at)) == queue.ScheduleScheduled(run_at)

    reply = call(claim("w1", 4))

    assert [row.id for row in reply.rows] == ["a", "z", "mid", "late"]


def test_what_one_has_claimed_nobody_else_gets(call: Any, three: None) -> None:
    assert call(claim("w1", 2)) == claimed(("a", 1, b"a"), ("b", 1, b"b"))
    assert call(claim("w2", 2)) == claimed(("c", 1, b"c"))
    assert isinstance(call(claim("w3", 2)), queue.ClaimEmpty)


def test_an_empty_queue_says_when_to_look_again(call: Any) -> None:
    assert call(claim("w1")) == queue.ClaimEmpty(0, None)

    call(schedule("a", delay=3_600_000))
    assert 3_500_000 * ms < call(claim("w1")).next_after <= 3_600_000 * ms

    call(schedule("b"))
    call(claim("w1", lease=1_800_000))
    assert 1_700_000 * ms < call(claim("w2")).next_after <= 1_800_000 * ms


@pytest.mark.parametrize("payload", [b"", BINARY, b"x" * 65_536])
@pytest.mark.parametrize("id_", ["v", "p:v", "é" * 32, "a\x00b", "5"])
def test_id_and_payload_may_be_anything(call: Any, id_: str, payload: bytes) -> None:
    receipt = "\x00:" + "é" * 23
    call(schedule(id_, payload, token="t" * 32))

    assert call(claim(receipt)) == claimed((id_, 1, payload))
    assert call(renew(receipt, id=id_)) == queue.RenewRenewed((queue.RenewRenewedRow(id_),))
    assert isinstance(call(nack(id_, receipt)), queue.NackRetried)
    assert call(claim(receipt)) == claimed((id_, 2, payload))
    assert call(ack(id_, receipt)) == queue.AckAcked()
    call(schedule(id_, payload, token="t"))
    assert call(queue.remove(name="q", id=id_)) == queue.RemoveRemoved("due")


def test_a_claim_stops_at_96_kib_of_payload(call: Any) -> None:
    """All 100 of 64 KiB each would hold the server for many milliseconds."""
    for number in range(100):
        call(schedule(f"{number:02}", b"x" * 40_000, run_at=number))

    for number in range(3):
        rows = call(claim(f"w{number}", 100)).rows
        assert [row.id for row in rows] == [f"{2 * number:02}", f"{2 * number + 1:02}"]


def test_a_claim_goes_up_to_96_kib_of_payload(call: Any) -> None:
    for id_, size in (("a", 65_536), ("b", 32_768), ("c", 1)):
        call(schedule(id_, b"x" * size))

    assert len(call(claim("w1", 3)).rows) == 2


# --- ends ---------------------------------------------------------------------------------------


def test_a_job_that_is_done_is_gone_and_leaves_nothing(call: Any, client: Any, three: None) -> None:
    rows = call(claim("w1", 3)).rows

    for row in rows:
        assert call(ack(row.id, "w1")) == queue.AckAcked()
    assert client.dbsize() == 0


def test_only_the_last_to_claim_it_ends_a_job(call: Any, client: Any) -> None:
    call(schedule("a"))
    assert call(ack("a", "w1")) == queue.AckLost()
    call(claim("w1"))
    end_the_leases(client)
    call(claim("w2"))

    assert call(ack("a", "w1")) == queue.AckLost()
    assert call(nack("a", "w1")) == queue.NackLost()
    assert call(renew("w1", id="a")) == queue.RenewLost()
    assert call(renew("w1")) == queue.RenewLost()
    assert call(ack("a", "w2")) == queue.AckAcked()
    assert call(ack("a", "w2")) == queue.AckGone()
    assert call(nack("a", "w2")) == queue.NackGone()
    assert call(renew("w2", id="a")) == queue.RenewGone()


def test_what_was_given_back_comes_again_after_its_delay(call: Any) -> None:
    call(schedule("a"))
    call(claim("w1"))
    retried = call(nack("a", "w1", delay=1))
    assert isinstance(retried, queue.NackRetried)
    time.sleep(0.02)

    assert call(claim("w2")) == claimed(("a", 2, b"p"))
    call(nack("a", "w2", delay=3_600_000))
    assert call(claim("w3")).next_after > LEASE * ms


def test_a_job_that_was_given_back_may_still_be_done(call: Any, client: Any) -> None:
    """The work was done after all: nobody need do it again."""
    call(schedule("a"))
    call(claim("w1"))
    call(nack("a", "w1", delay=3_600_000))

    assert call(ack("a", "w1")) == queue.AckAcked()
    assert client.dbsize() == 0


# --- leases -------------------------------------------------------------------------------------


def test_the_jobs_of_a_worker_that_died_come_back_before_those_that_are_due(
    call: Any, client: Any, three: None
) -> None:
    call(claim("w1", 2))
    end_the_leases(client)

    assert call(claim("w2", 3)) == claimed(("a", 2, b"a"), ("b", 2, b"b"), ("c", 1, b"c"))


def test_of_many_leases_that_are_over_a_claim_takes_as_many_as_it_asks_for(
    call: Any, client: Any, three: None
) -> None:
    call(claim("w1", 3))
    end_the_leases(client)

    assert call(claim("w2", 2)) == claimed(("a", 2, b"a"), ("b", 2, b"b"))
    assert call(claim("w3", 2)) == claimed(("c", 2, b"c"))


@pytest.mark.parametrize("end", [ack("a", "w1"), nack("a", "w1"), renew("w1"), renew("w1", id="a")])
def test_who_is_late_still_has_the_job_while_nobody_else_has(
    call: Any, client: Any, end: Call[Any]
) -> None:
    call(schedule("a"))
    call(claim("w1"))
    end_the_leases(client)

    kinds = (queue.AckAcked, queue.NackRetried, queue.RenewRenewed)
    assert isinstance(call(end), kinds)


def test_a_renewal_names_what_is_still_held_and_cuts_no_lease_short(
    call: Any, client: Any, three: None
) -> None:
    call(claim("w1", 3, lease=1_800_000))
    call(ack("b", "w1"))
    both = (queue.RenewRenewedRow("a"), queue.RenewRenewedRow("c"))

    assert call(renew("w1", 1)) == queue.RenewRenewed(both)
    assert LEASE * ms < call(claim("w2")).next_after
    assert call(renew("w1", 3_600_000, id="a")) == queue.RenewRenewed(both[:1])
    assert call(claim("w2")).next_after <= 1_800_000 * ms
    assert call(renew("w1", 3_600_000)) == queue.RenewRenewed(both)
    assert call(claim("w2")).next_after > 1_800_000 * ms


def test_a_receipt_that_begins_like_another_one_is_another(call: Any, three: None) -> None:
    call(claim("w", 1))
    call(claim("wa", 1))

    assert call(renew("w")) == queue.RenewRenewed((queue.RenewRenewedRow("a"),))
    assert call(claim("w", 3)) == claimed(("a", 1, b"a"))


# --- resends ------------------------------------------------------------------------------------


def test_a_claim_sent_again_gets_the_same_jobs_in_the_same_order(call: Any) -> None:
    for number in range(30):
        call(schedule(f"{97 * number % 30}", b"%d" % number, run_at=number))
    first, other = claim("w1", 20), claim("w2", 20)
    replies = [call(first), call(other)]

    assert [call(first), call(other)] == replies
    assert [len(reply.rows) for reply in replies] == [20, 10]
    assert [row.payload for row in replies[0].rows] == [b"%d" % number for number in range(20)]


def test_a_claim_that_arrives_again_gets_what_it_still_holds(
    call: Any, client: Any, three: None
) -> None:
    first = claim("w1", 3)
    call(first)
    call(ack("a", "w1"))
    call(nack("c", "w1", delay=3_600_000))
    end_the_leases(client)

    assert call(first) == claimed(("b", 1, b"b"))
    assert call(claim("w2")).next_after > 0 * ms


def test_a_resend_of_a_claim_cuts_no_lease_short(call: Any) -> None:
    call(schedule("a"))
    first = claim("w1", lease=1)
    call(first)
    call(renew("w1", 3_600_000))

    assert call(first) == claimed(("a", 1, b"p"))
    assert call(claim("w2")).next_after > LEASE * ms


def test_a_job_that_is_scheduled_again_by_the_same_call_stays_as_it_is(
    call: Any, dataset: Any
) -> None:
    for mode in ("if_absent", "replace"):
        one = schedule(mode, b"p", mode=mode)
        call(one)
        for step in ([], [claim("w1")], [nack(mode, "w1", max_attempts=1)]):
            for before in step:
                call(before)
            state = dataset()
            assert call(one) == queue.ScheduleReplayed()
            assert dataset() == state


def test_a_job_that_was_given_back_twice_is_given_back_once(call: Any, dataset: Any) -> None:
    call(schedule("a"))
    call(claim("w1"))
    retried = call(nack("a", "w1", delay=1_000))
    before = dataset()

    assert call(nack("a", "w1", delay=3_600_000)) == retried
    assert dataset() == before


# --- the same id --------------------------------------------------------------------------------


def test_a_job_that_exists_is_left_alone_and_said_where_it_is(call: Any, dataset: Any) -> None:
    call(schedule("a", run_at=1_000))
    for step, expected in (
        ([], queue.ScheduleExists("due", 1_000)),
        ([claim("w1")], queue.ScheduleExists("in_flight", None)),
        ([nack("a", "w1", max_attempts=1)], queue.ScheduleExists("dead", None)),
    ):
        for before in step:
            call(before)
        state = dataset()
        assert call(schedule("a", b"other")) == expected
        assert dataset() == state


@pytest.mark.parametrize("where", ["due", "in_flight", "dead", "given back"])
def test_a_job_that_is_replaced_begins_anew_and_is_lost_to_who_holds_it(
    call: Any, client: Any, where: str
) -> None:
    call(schedule("a", b"old", run_at=1_000))
    if where != "due":
        call(claim("w1"))
    if where in ("dead", "given back"):
        call(nack("a", "w1", max_attempts=1 if where == "dead" else 25))

    replaced = call(schedule("a", b"new", run_at=2_000, mode="replace"))

    assert replaced == queue.ScheduleRescheduled(2_000)
    assert call(ack("a", "w1")) == queue.AckLost()
    assert call(renew("w1")) == queue.RenewLost()
    assert call(claim("w2", 3)) == claimed(("a", 1, b"new"))
    assert call(ack("a", "w2")) == queue.AckAcked()
    assert client.dbsize() == 0


@pytest.mark.parametrize("where", ["due", "in_flight", "dead"])
def test_a_job_is_removed_wherever_it_is(call: Any, client: Any, where: Any) -> None:
    call(schedule("a"))
    if where != "due":
        call(claim("w1"))
    if where == "dead":
        call(nack("a", "w1", max_attempts=1))

    assert call(queue.remove(name="q", id="a")) == queue.RemoveRemoved(where)
    assert call(queue.remove(name="q", id="a")) == queue.RemoveMissing()
    assert call(ack("a", "w1")) == queue.AckGone()
    assert client.dbsize() == 0


def test_queues_do_not_know_of_each_other(call: Any) -> None:
    for name in ("q", "r"):
        call(queue.schedule(name=name, id="a", payload=name.encode()))

    for name in ("q", "r"):
        found = call(queue.claim(name=name, receipt="w", lease=LEASE))
        assert found == claimed(("a", 1, name.encode()))


def test_nothing_of_a_queue_expires(call: Any, client: Any, three: None) -> None:
    """A job must not vanish because nobody claimed it for long."""
    call(schedule("d", delay=3_600_000))
    call(claim("w1", 2))
    call(nack("a", "w1", max_attempts=1))
    call(renew("w1"))

    assert [client.pttl(key) for key in claim("w1").keys] == [-1] * 5
