"""How many hold a slot, and who gets the next one: on every way of calling."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import semaphore
from redislua.runtime import Call

LEASES, PASSING, WAKE = (f"semaphore:{{n}}:{suffix}" for suffix in ("leases", "passing", "wake"))
KEYS = (LEASES, PASSING, WAKE)
HOLD = 60_000

ms = timedelta(milliseconds=1)


def acquire(
    owner: str, *, name: str = "n", limit: int = 2, hold: int = HOLD, ticket: str | None = None
) -> Call[semaphore.AcquireReply]:
    return semaphore.acquire(name=name, owner=owner, limit=limit, hold=hold, ticket=ticket)


def release(owner: str, **arguments: Any) -> Call[semaphore.ReleaseReply]:
    return semaphore.release(name="n", owner=owner, **arguments)


def renew(owner: str, hold: int = HOLD) -> Call[semaphore.RenewReply]:
    return semaphore.renew(name="n", owner=owner, hold=hold)


# --- so many and no more -----------------------------------------------------------------------


def test_as_many_hold_a_slot_as_there_are_and_the_next_learns_for_how_long(call: Any) -> None:
    replies = [call(acquire(owner)) for owner in ("a", "ä\x00{}")]
    refused = call(acquire("c"))

    assert replies == [semaphore.AcquireAcquired(count, replayed=False) for count in (1, 2)]
    assert isinstance(refused, semaphore.AcquireFull)
    assert refused.in_use == 2
    assert 0 * ms < refused.retry_after <= HOLD * ms


def test_it_is_the_first_hold_that_ends_that_a_refusal_speaks_of(call: Any) -> None:
    for owner, hold in (("a", 3 * HOLD), ("b", HOLD), ("c", 2 * HOLD)):
        call(acquire(owner, limit=3, hold=hold))

    assert HOLD / 2 * ms < call(acquire("d", limit=3)).retry_after <= HOLD * ms


def test_a_refusal_writes_nothing(call: Any, dataset: Any) -> None:
    call(acquire("a"))
    call(acquire("b"))
    before = dataset()

    for refused in (acquire("c"), acquire("c", ticket="x"), release("c"), renew("c")):
        call(refused)
    assert dataset() == before


def test_what_finds_no_slot_writes_nothing(call: Any, client: Any) -> None:
    assert call(release("a")) == semaphore.ReleaseNotHeld()
    assert call(renew("a")) == semaphore.RenewLost()
    assert client.dbsize() == 0


def test_semaphores_are_apart(call: Any) -> None:
    call(acquire("a", limit=1))

    assert call(acquire("b", name="m", limit=1)).in_use == 1


def test_a_holder_that_died_gives_its_slot_back_and_gets_no_other(call: Any, client: Any) -> None:
    """A count that is only raised and lowered would have lost this slot for ever."""
    call(acquire("a", hold=1))
    call(acquire("b"))
    time.sleep(0.02)

    assert call(renew("a")) == semaphore.RenewLost()
    assert call(release("a")) == semaphore.ReleaseNotHeld()
    assert call(acquire("c")) == semaphore.AcquireAcquired(2, replayed=False)
    assert isinstance(call(acquire("a")), semaphore.AcquireFull)
    assert client.zrange(LEASES, 0, -1) == [b"b", b"c"]
    assert client.exists(WAKE) == 0


def test_a_renewed_hold_starts_anew(call: Any, client: Any) -> None:
    call(acquire("a", limit=1, hold=1_000))

    assert call(renew("a")) == semaphore.RenewRenewed(HOLD * ms)
    assert call(acquire("b", limit=1)).retry_after > HOLD / 2 * ms
    assert HOLD / 2 < client.pttl(LEASES) <= HOLD
    assert call(renew("a", 500)) == semaphore.RenewRenewed(500 * ms)
    assert call(acquire("b", limit=1)).retry_after <= 500 * ms


def test_a_smaller_limit_takes_no_slot_away_and_gives_none(call: Any) -> None:
    for owner in "abcd":
        call(acquire(owner, limit=4))

    assert call(acquire("e", limit=2)).in_use == 4
    assert call(acquire("a", limit=2)).replayed
    for owner, left in (("a", 3), ("b", 2)):
        assert call(release(owner, grace=1)).in_use == left
        time.sleep(0.02)
        assert isinstance(call(acquire("e", limit=2)), semaphore.AcquireFull)
    assert call(release("c")).in_use == 1
    assert call(acquire("e", limit=2)).in_use == 2


def test_everything_at_its_greatest_is_taken(call: Any, client: Any) -> None:
    longest, owner = 86_400_000, "o" * 48
    taking = acquire(owner, limit=4_000, hold=longest, ticket="t" * 48)

    assert call(taking) == semaphore.AcquireAcquired(1, replayed=False)
    assert call(acquire("b", limit=1)).retry_after > (longest - 60_000) * ms
    assert call(renew(owner, longest)) == semaphore.RenewRenewed(longest * ms)
    assert call(release(owner, grace=10_000)) == semaphore.ReleaseReleased(0)
    assert 9_000 < client.pttl(PASSING) <= 10_000


# --- resends -----------------------------------------------------------------------------------


def test_the_same_call_again_gives_an_equivalent_answer(call: Any) -> None:
    taking, giving = acquire("a"), release("a")

    assert call(taking) == semaphore.AcquireAcquired(1, replayed=False)
    assert call(taking) == semaphore.AcquireAcquired(1, replayed=True)
    assert call(renew("a")) == call(renew("a"))
    assert call(giving) == semaphore.ReleaseReleased(0)
    assert call(giving) == semaphore.ReleaseNotHeld()


def test_nobody_gets_two_slots_by_asking_twice(call: Any) -> None:
    for _ in range(5):
        call(acquire("a"))

    assert call(acquire("b")) == semaphore.AcquireAcquired(2, replayed=False)


def test_asking_again_starts_the_hold_anew(call: Any) -> None:
    call(acquire("a", limit=1, hold=500))
    call(acquire("a", limit=1))

    assert call(acquire("b", limit=1)).retry_after > 500 * ms


def test_a_call_that_arrives_after_later_ones_does_no_harm_to_others(call: Any) -> None:
    earlier = [acquire("a", limit=1), renew("a"), release("a")]
    for one in earlier:
        call(one)
    call(acquire("b", limit=1))

    assert isinstance(call(earlier[0]), semaphore.AcquireFull)
    assert call(earlier[1]) == semaphore.RenewLost()
    assert call(earlier[2]) == semaphore.ReleaseNotHeld()
    assert call(acquire("b", limit=1)).replayed


# --- who is next ---------------------------------------------------------------------------------


def test_where_nobody_waits_a_slot_is_free_at_once(call: Any, client: Any) -> None:
    call(acquire("a", limit=1))
    call(release("a"))
    assert (client.llen(WAKE), client.zcard(PASSING)) == (1, 1)

    assert call(acquire("b", limit=1)) == semaphore.AcquireAcquired(1, replayed=False)
    assert client.exists(WAKE, PASSING) == 0


def test_once_somebody_was_woken_nobody_else_gets_the_slot(call: Any, client: Any) -> None:
    call(acquire("a", limit=1))
    call(release("a", grace=10_000))
    ticket = client.lpop(WAKE).decode()

    for owner, shown in (("a", None), ("b", "other"), ("b", "x" * 48)):
        passed_over = call(acquire(owner, limit=1, ticket=shown))
        assert isinstance(passed_over, semaphore.AcquireFull)
        assert passed_over.in_use == 0
        assert 0 * ms < passed_over.retry_after <= 10_000 * ms
    taken = acquire("c", limit=1, ticket=ticket)
    assert call(taken) == semaphore.AcquireAcquired(1, replayed=False)
    assert call(taken) == semaphore.AcquireAcquired(1, replayed=True)
    assert isinstance(call(acquire("d", limit=1, ticket=ticket)), semaphore.AcquireFull)


def test_each_ticket_is_good_for_one_slot(call: Any, client: Any) -> None:
    for owner in "abc":
        call(acquire(owner, limit=3))
    for owner in "abc":
        call(release(owner, grace=10_000))
    tickets = [client.lpop(WAKE).decode() for _ in range(2)]

    assert call(acquire("newcomer", limit=3)).in_use == 1
    assert isinstance(call(acquire("late", limit=3)), semaphore.AcquireFull)
    assert call(acquire("w0", limit=3, ticket=tickets[0])).in_use == 2
    assert isinstance(call(acquire("again", limit=3, ticket=tickets[0])), semaphore.AcquireFull)
    assert call(acquire("w1", limit=3, ticket=tickets[1])).in_use == 3
    assert client.exists(PASSING) == 0


def test_whoever_was_woken_and_died_keeps_the_others_for_the_grace_alone(
    call: Any, client: Any
) -> None:
    call(acquire("a", limit=1))
    call(release("a", grace=1))
    ticket = client.lpop(WAKE).decode()
    time.sleep(0.02)

    assert call(acquire("b", limit=1)) == semaphore.AcquireAcquired(1, replayed=False)
    assert isinstance(call(acquire("late", limit=1, ticket=ticket)), semaphore.AcquireFull)


def test_without_a_grace_whoever_asks_first_gets_the_slot(call: Any, client: Any) -> None:
    call(acquire("a", limit=1))
    call(release("a", grace=0))

    assert client.lpop(WAKE) is not None
    assert call(acquire("b", limit=1)).in_use == 1


def test_tokens_that_are_of_no_use_wake_nobody_later(call: Any, client: Any) -> None:
    """Many slots were given back while nobody waited: whoever is refused finds no token."""
    for owner in "abc":
        call(acquire(owner, limit=3))
    for owner in "abc":
        call(release(owner, grace=1))
    time.sleep(0.02)
    assert client.llen(WAKE) > 0

    for owner in "def":
        call(acquire(owner, limit=3))
    assert isinstance(call(acquire("g", limit=3)), semaphore.AcquireFull)
    assert client.exists(WAKE) == 0


def test_there_are_no_more_tokens_than_slots_being_passed_on(call: Any, client: Any) -> None:
    for turn in range(20):
        call(acquire(f"o{turn}", limit=1_000))
        call(release(f"o{turn}", grace=1 if turn < 19 else 10_000))
        time.sleep(0.002)

    assert client.llen(WAKE) <= 2


def test_a_token_waits_for_whoever_was_told_to_ask_again(call: Any, client: Any) -> None:
    call(acquire("a", limit=1))
    retry_after = call(acquire("b", limit=1)).retry_after
    call(release("a", grace=1))

    assert client.pttl(WAKE) * ms > retry_after / 2


def test_only_a_release_wakes(call: Any, client: Any) -> None:
    steps = (release("a"), acquire("a", limit=1), acquire("b", limit=1), renew("a"), release("b"))
    for one in steps:
        call(one)
        assert client.exists(WAKE) == 0


# --- expiries ------------------------------------------------------------------------------------


def test_every_write_leaves_an_expiry_on_every_key(call: Any, client: Any) -> None:
    steps = [acquire("a"), acquire("a"), renew("a"), acquire("b"), acquire("c"), release("a")]
    steps += [acquire("c"), release("b", grace=0), release("c")]

    for step in steps:
        call(step)
        assert client.dbsize() > 0
        for key in KEYS:
            assert client.pttl(key) > 0 or client.exists(key) == 0


def test_the_leases_are_there_until_the_last_hold_ends(call: Any, client: Any) -> None:
    call(acquire("a", hold=3 * HOLD))
    call(acquire("b", hold=HOLD))
    call(renew("b", 1))

    assert 2 * HOLD < client.pttl(LEASES) <= 3 * HOLD


@pytest.mark.parametrize("hold", [HOLD, 3 * HOLD])
def test_an_expiry_that_was_taken_away_comes_back(call: Any, client: Any, hold: int) -> None:
    call(acquire("a"))
    client.persist(LEASES)

    call(renew("a", hold))

    assert 0 < client.pttl(LEASES) <= hold
