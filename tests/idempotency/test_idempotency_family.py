"""The scripts of `idempotency`: one attempt at a time, and its end for everybody."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import idempotency as idem
from redislua.runtime import Call

KEY = "idempotency:{k}:request"
HOLD, DAY = 60_000, 86_400_000
BINARY = b"\x00\xff{not utf-8}\r\n\x00"

ms = timedelta(milliseconds=1)


def begin(owner: str, fingerprint: str | None = "f", hold: int = HOLD, ttl: int = DAY) -> Call[Any]:
    return idem.begin(key="k", owner=owner, hold=hold, ttl=ttl, fingerprint=fingerprint)


def complete(owner: str, response: bytes = b"r", ttl: int = DAY) -> Call[Any]:
    return idem.complete(key="k", owner=owner, response=response, ttl=ttl)


def give_back(owner: str) -> Call[Any]:
    return idem.fail(key="k", owner=owner, mode="retry")


def fail(owner: str, response: bytes | None = b"no", ttl: int = DAY) -> Call[Any]:
    return idem.fail(key="k", owner=owner, mode="final", response=response, ttl=ttl)


def extend(owner: str, hold: int = HOLD) -> Call[Any]:
    return idem.extend(key="k", owner=owner, hold=hold)


def end_the_hold(client: Any) -> None:
    """As if the time had come."""
    client.hset(KEY, "l", 1)


STARTED = idem.BeginStarted(1, replayed=False)


# --- one after the other ------------------------------------------------------------------------


def test_one_caller_works_and_the_others_are_told_to_wait(call: Any) -> None:
    first = call(begin("a"))
    others = [call(begin(owner)) for owner in ("b", "c", "d")]

    assert first == STARTED
    assert {type(other) for other in others} == {idem.BeginInProgress}
    assert all(0 * ms < other.retry_after <= HOLD * ms for other in others)


@pytest.mark.parametrize("response", [b"", b"r", BINARY, b"x" * 262_144])
def test_everybody_gets_the_response_that_was_stored(call: Any, response: bytes) -> None:
    call(begin("a"))
    assert call(complete("a", response)) == idem.CompleteCompleted(replayed=False)

    for owner in ("a", "b"):
        assert call(begin(owner)) == idem.BeginCompleted(response)


def test_what_was_given_back_is_begun_by_the_next(call: Any) -> None:
    call(begin("a"))
    assert call(give_back("a")) == idem.FailReleased()

    assert call(begin("b")) == idem.BeginStarted(2, replayed=False)
    assert isinstance(call(begin("c")), idem.BeginInProgress)


@pytest.mark.parametrize("response", [None, b"no", BINARY, b"x" * 4_096])
def test_a_failure_for_good_is_repeated(call: Any, response: bytes | None) -> None:
    call(begin("a"))
    assert call(fail("a", response)) == idem.FailFailed(replayed=False)

    assert call(begin("b")) == idem.BeginFailed(response or b"")


@pytest.mark.parametrize("others", ["g", None, "F", "f" * 64])
@pytest.mark.parametrize("end", [None, complete("a"), fail("a"), give_back("a")])
def test_another_request_under_the_same_key_is_told_so_in_every_status(
    call: Any, client: Any, others: str | None, end: Call[Any] | None
) -> None:
    """The fingerprint outlives the attempt that bound it."""
    call(begin("a"))
    if end is not None:
        call(end)

    for owner in ("a", "b"):
        assert call(begin(owner, others)) == idem.BeginMismatch()
    end_the_hold(client)
    assert call(begin("b", others)) == idem.BeginMismatch()
    assert not isinstance(call(begin("b")), idem.BeginMismatch)


# --- a caller that dies -------------------------------------------------------------------------


def test_the_work_of_a_caller_that_died_is_taken_over_and_cannot_be_ended_by_it(call: Any) -> None:
    assert call(begin("a", hold=1)) == STARTED
    time.sleep(0.02)

    assert call(begin("b")) == idem.BeginStarted(2, replayed=False)
    assert call(complete("a")) == idem.CompleteLost()
    assert call(fail("a")) == idem.FailLost()
    assert call(give_back("a")) == idem.FailLost()
    assert call(extend("a")) == idem.ExtendLost()
    assert isinstance(call(begin("a")), idem.BeginInProgress)
    assert call(complete("b", b"second")) == idem.CompleteCompleted(replayed=False)
    assert call(complete("a", b"first")) == idem.CompleteLost()
    assert call(begin("a")) == idem.BeginCompleted(b"second")


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (complete("a"), idem.CompleteCompleted(replayed=False)),
        (fail("a"), idem.FailFailed(replayed=False)),
        (give_back("a"), idem.FailReleased()),
        (extend("a"), idem.ExtendExtended(HOLD * ms)),
        (begin("a"), idem.BeginStarted(1, replayed=True)),
    ],
    ids=["complete", "fail", "give back", "extend", "begin"],
)
def test_who_is_late_is_still_the_owner_while_nobody_took_over(
    call: Any, client: Any, late: Call[Any], expected: object
) -> None:
    call(begin("a"))
    end_the_hold(client)

    assert call(late) == expected


def test_work_that_takes_longer_is_prolonged_and_never_cut_short(call: Any, client: Any) -> None:
    call(begin("a", hold=1_000, ttl=2_000))
    assert call(extend("a", 1_800_000)) == idem.ExtendExtended(1_800_000 * ms)
    assert 2_000 < client.pttl(KEY) <= 1_800_000

    for again in (extend("a", 1_000), begin("a", hold=1_000, ttl=2_000)):
        call(again)
        waiting = call(begin("b"))
        assert HOLD * ms < waiting.retry_after <= 1_800_000 * ms
        assert client.pttl(KEY) > 2_000


def test_the_hold_of_an_owner_that_begins_again_starts_anew(call: Any) -> None:
    owner = "é" * 24
    call(begin(owner, hold=1_000))
    call(begin(owner, hold=1_800_000))

    assert call(begin("b")).retry_after > HOLD * ms


# --- resends ------------------------------------------------------------------------------------


def test_each_call_sent_again_gets_the_same_answer(call: Any) -> None:
    for again in (False, True):
        assert call(begin("a")) == idem.BeginStarted(1, replayed=again)
    for _ in range(2):
        assert call(give_back("a")) == idem.FailReleased()
    for again in (False, True):
        assert call(begin("b")) == idem.BeginStarted(2, replayed=again)
    for again in (False, True):
        assert call(complete("b")) == idem.CompleteCompleted(replayed=again)


def test_the_response_that_was_stored_first_stands(call: Any) -> None:
    call(begin("a"))
    call(complete("a", b"one"))

    assert call(complete("a", b"two")) == idem.CompleteCompleted(replayed=True)
    assert call(fail("a", b"three")) == idem.FailLost()
    assert call(give_back("a")) == idem.FailLost()
    assert call(begin("b")) == idem.BeginCompleted(b"one")


def test_the_failure_that_was_stored_first_stands(call: Any) -> None:
    call(begin("a"))
    call(fail("a", b"one"))

    assert call(fail("a", b"two")) == idem.FailFailed(replayed=True)
    assert call(complete("a", b"three")) == idem.CompleteLost()
    assert call(give_back("a")) == idem.FailLost()
    assert call(begin("b")) == idem.BeginFailed(b"one")


def test_an_old_call_that_arrives_after_later_ones_changes_nothing(call: Any, dataset: Any) -> None:
    earlier = [begin("a"), extend("a"), give_back("a")]
    for one in earlier:
        call(one)
    for one in (begin("b"), complete("b", b"r")):
        call(one)
    before = dataset()

    replies = [call(one) for one in (*earlier, begin("b"), extend("b"), complete("b", b"x"))]

    assert replies == [
        idem.BeginCompleted(b"r"),
        idem.ExtendLost(),
        idem.FailLost(),
        idem.BeginCompleted(b"r"),
        idem.ExtendLost(),
        idem.CompleteCompleted(replayed=True),
    ]
    assert dataset() == before


# --- expiry -------------------------------------------------------------------------------------


def test_every_write_leaves_the_expiry_that_it_should(call: Any, client: Any) -> None:
    steps = [
        (begin("a", ttl=900_000), 900_000),
        (begin("a", ttl=1_000_000), 1_000_000),
        (extend("a", 500_000), 1_000_000),
        (extend("a", 2_000_000), 2_000_000),
        (give_back("a"), 2_000_000),
        (begin("b", ttl=3_000_000), 3_000_000),
        (complete("b", ttl=100_000), 100_000),
        (begin("c", ttl=9_000_000), 100_000),
        (complete("b", ttl=9_000_000), 100_000),
    ]
    for one, ttl in steps:
        call(one)
        assert ttl - 60_000 < client.pttl(KEY) <= ttl, one.script.name


def test_a_failure_is_repeated_as_long_as_it_was_asked_for(call: Any, client: Any) -> None:
    call(begin("a"))
    call(fail("a", ttl=100_000))

    assert 0 < client.pttl(KEY) <= 100_000


def test_an_expiry_that_was_lost_is_put_back(call: Any, client: Any) -> None:
    for one in (begin("a"), extend("a"), begin("a")):
        call(one)
        client.persist(KEY)
        call(one)
        assert client.pttl(KEY) > 0, one.script.name


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (complete("a"), idem.CompleteLost()),
        (fail("a"), idem.FailLost()),
        (give_back("a"), idem.FailLost()),
        (extend("a"), idem.ExtendLost()),
        (begin("a", hold=2_000, ttl=1_000), None),
    ],
    ids=["complete", "fail", "give back", "extend", "hold beyond ttl"],
)
def test_on_a_key_that_is_not_known_nothing_is_written(
    call: Any, client: Any, one: Call[Any], expected: object
) -> None:
    if expected is None:
        with pytest.raises(idem.BadArgumentError, match="hold"):
            call(one)
    else:
        assert call(one) == expected
    assert client.dbsize() == 0
