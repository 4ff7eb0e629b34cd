"""Who holds a lock, for how long, and with which number: on every way of calling."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import lock
from redislua.runtime import Call, new_owner

LOCK, FENCE, WAKE = "lock:{n}:lock", "lock:{n}:fence", "lock:{n}:wake"
HOLD = 60_000

ms = timedelta(milliseconds=1)


def acquire(
    owner: str, *, name: str = "n", hold: int = HOLD, **arguments: Any
) -> Call[lock.AcquireReply]:
    return lock.acquire(name=name, owner=owner, hold=hold, **arguments)


def release(owner: str, **arguments: Any) -> Call[lock.ReleaseReply]:
    return lock.release(name="n", owner=owner, **arguments)


def extend(owner: str, *, hold: int = HOLD, **arguments: Any) -> Call[lock.ExtendReply]:
    return lock.extend(name="n", owner=owner, hold=hold, **arguments)


def inspect() -> Call[lock.InspectReply]:
    return lock.inspect(name="n")


# --- one holder ------------------------------------------------------------------------------


def test_one_caller_holds_the_lock_and_the_others_learn_for_how_long(call: Any) -> None:
    first = call(acquire("a"))
    others = [call(acquire(owner)) for owner in ("b", "c", "ä\x00{}")]

    assert first == lock.AcquireAcquired(first.fence, replayed=False)
    assert all(isinstance(other, lock.AcquireHeld) for other in others)
    assert all(other.fence == first.fence for other in others)
    assert all(0 * ms < other.retry_after <= HOLD * ms for other in others)


def test_a_refusal_writes_nothing(call: Any, dataset: Any) -> None:
    call(acquire("a"))
    before = dataset()

    for refused in (acquire("b"), release("b"), extend("b"), acquire("b", ticket="1")):
        call(refused)
    assert dataset() == before


def test_what_finds_no_lock_writes_nothing(call: Any, client: Any) -> None:
    assert call(release("a")) == lock.ReleaseAlreadyFree()
    assert call(extend("a")) == lock.ExtendLost("free")
    assert call(inspect()) == lock.InspectFree(None)
    assert client.dbsize() == 0


def test_locks_are_apart(call: Any) -> None:
    call(acquire("a"))

    assert isinstance(call(acquire("b", name="m")), lock.AcquireAcquired)
    assert call(lock.release(name="m", owner="a")) == lock.ReleaseNotOwner()


def test_a_holder_that_died_is_replaced_and_cannot_harm_its_successor(call: Any) -> None:
    """P29: a release that looks first and deletes then removed another owner's lock."""
    first = call(acquire("a", hold=1))
    time.sleep(0.02)
    second = call(acquire("b"))

    assert int(second.fence) > int(first.fence)
    assert call(release("a")) == lock.ReleaseNotOwner()
    assert call(extend("a")) == lock.ExtendLost("taken")
    assert isinstance(call(acquire("a")), lock.AcquireHeld)
    held = call(inspect())
    assert (held.owner, held.fence) == ("b", second.fence)


def test_a_lost_lock_is_not_taken_again_by_extending_it(call: Any, client: Any) -> None:
    call(acquire("a", hold=1))
    time.sleep(0.02)

    assert call(extend("a")) == lock.ExtendLost("free")
    assert client.exists(LOCK) == 0


def test_extending_sets_what_is_left_or_never_shortens_it(call: Any, client: Any) -> None:
    call(acquire("a", hold=1_000))

    assert call(extend("a")) == lock.ExtendExtended(HOLD * ms)
    kept = call(extend("a", hold=1_000, mode="at_least"))
    assert HOLD / 2 * ms < kept.expires_after <= HOLD * ms
    assert call(extend("a", hold=2 * HOLD, mode="at_least")) == lock.ExtendExtended(2 * HOLD * ms)
    assert call(extend("a", hold=1_000)) == lock.ExtendExtended(1_000 * ms)
    assert 0 < client.pttl(LOCK) <= 1_000


def test_inspecting_tells_of_the_holder_and_of_the_last_fence(call: Any, client: Any) -> None:
    taken = call(acquire("ä", hold=HOLD))
    held = call(inspect())
    assert (held.owner, held.fence) == ("ä", taken.fence)
    assert 0 * ms < held.expires_after <= HOLD * ms

    call(release("ä"))
    assert call(inspect()) == lock.InspectFree(taken.fence)
    client.delete(FENCE)
    assert call(inspect()) == lock.InspectFree(taken.fence)
    client.delete(LOCK)
    assert call(inspect()) == lock.InspectFree(None)


def test_everything_at_its_greatest_is_taken(call: Any, client: Any) -> None:
    longest, owner = 86_400_000, "o" * 48
    taking = acquire(owner, hold=longest, ticket="t" * 16, keep_fence=31_622_400_000)

    taken = call(taking)

    assert isinstance(taken, lock.AcquireAcquired)
    assert client.pttl(LOCK) > longest - 60_000
    assert client.pttl(FENCE) > 31_622_400_000 - 60_000
    assert call(taking).replayed
    assert call(acquire("b")).retry_after > (longest - 60_000) * ms
    assert call(extend(owner, hold=longest)) == lock.ExtendExtended(longest * ms)
    assert call(extend(owner, hold=1, mode="at_least")).expires_after > (longest - 60_000) * ms
    assert call(release(owner, grace=10_000)) == lock.ReleaseReleased()
    assert 9_000 < client.pttl(LOCK) <= 10_000


def test_a_hold_may_be_as_short_as_a_millisecond(call: Any) -> None:
    call(acquire("a"))

    assert call(extend("a", hold=1)) == lock.ExtendExtended(1 * ms)
    time.sleep(0.02)
    assert call(inspect()) == lock.InspectFree(call(inspect()).fence)


# --- resends -----------------------------------------------------------------------------------


def test_the_same_call_again_gives_an_equivalent_answer(call: Any) -> None:
    """P27: the resend of an acquisition found the lock taken, by itself, and gave up."""
    taking, giving = acquire(new_owner()), release(new_owner())

    first, second = call(taking), call(taking)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.fence == second.fence

    mine = lock.release(name="n", owner=taking.args[0].decode())
    assert call(giving) == call(giving) == lock.ReleaseNotOwner()
    assert call(mine) == lock.ReleaseReleased()
    assert call(mine) == lock.ReleaseAlreadyFree()


def test_asking_again_starts_the_hold_anew(call: Any, client: Any) -> None:
    call(acquire("a"))
    client.pexpire(LOCK, 1_000)

    assert call(acquire("a")).replayed
    assert 1_000 < client.pttl(LOCK) <= HOLD
    assert call(acquire("a", hold=500)).replayed
    assert 0 < client.pttl(LOCK) <= 500
    client.persist(LOCK)
    assert call(acquire("b")).retry_after == 500 * ms


def test_a_call_that_arrives_after_later_ones_does_no_harm_to_others(call: Any) -> None:
    earlier = [acquire("a"), extend("a"), release("a")]
    for one in earlier:
        call(one)
    current = call(acquire("b"))

    assert isinstance(call(earlier[0]), lock.AcquireHeld)
    assert call(earlier[1]) == lock.ExtendLost("taken")
    assert call(earlier[2]) == lock.ReleaseNotOwner()
    assert call(acquire("b")).fence == current.fence


def test_an_acquisition_that_arrives_after_its_release_has_a_fence_of_its_own(call: Any) -> None:
    """Nobody waits for its answer: the lock is held for one hold, and no fence is given twice."""
    ghost = acquire("a")
    first = call(ghost)
    call(release("a"))

    second = call(ghost)

    assert (second.replayed, int(second.fence) > int(first.fence)) == (False, True)


# --- fences --------------------------------------------------------------------------------------


def test_fences_are_decimals_that_grow(call: Any) -> None:
    fences = []
    for turn in range(20):
        fences.append(call(acquire(f"o{turn}")).fence)
        call(release(f"o{turn}"))

    assert all(fence.isdecimal() and len(fence) == 16 for fence in fences)
    assert sorted(set(fences), key=int) == fences


def test_a_fence_grows_when_its_key_was_lost(call: Any, client: Any) -> None:
    first = call(acquire("a"))
    client.delete(LOCK, FENCE)

    assert int(call(acquire("b")).fence) > int(first.fence)


def test_a_fence_goes_on_from_the_last_one_exactly(call: Any, client: Any) -> None:
    """16 digits, which Lua's own conversion of numbers would round to 14."""
    client.set(FENCE, "9007199254740989", px=HOLD)

    assert call(acquire("a")).fence == "9007199254740990"
    call(release("a"))
    client.delete(FENCE)  # the released lock remembers it too
    assert call(acquire("b")).fence == "9007199254740991"


def test_a_fence_that_cannot_grow_is_an_error_and_nothing_is_written(
    call: Any, client: Any, dataset: Any
) -> None:
    client.set(FENCE, "9007199254740991", px=HOLD)
    before = dataset()

    with pytest.raises(lock.BadStateError, match="fence"):
        call(acquire("a"))
    assert dataset() == before


# --- expiries ------------------------------------------------------------------------------------


def test_every_write_leaves_an_expiry_on_every_key(call: Any, client: Any) -> None:
    steps = [acquire("a"), acquire("a"), extend("a"), release("a"), acquire("b"), release("b")]
    steps += [acquire("c", ticket="1"), release("c", grace=0), acquire("d")]

    for step in steps:
        call(step)
        assert client.exists(LOCK, FENCE, WAKE) >= 2
        for key in (LOCK, FENCE, WAKE):
            assert client.pttl(key) > 0 or client.exists(key) == 0


def test_a_fence_is_kept_for_as_long_as_the_caller_says(call: Any, client: Any) -> None:
    call(acquire("a", keep_fence=5_000))
    assert 0 < client.pttl(FENCE) <= 5_001

    call(release("a"))
    call(acquire("b"))
    assert 5_001 < client.pttl(FENCE) <= 3_600_001


@pytest.mark.parametrize("spoil", ["persist", "prolong"])
def test_a_lock_that_nothing_would_end_is_held_for_one_hold_more(
    call: Any, client: Any, spoil: str
) -> None:
    """Its expiry was taken away, or the clock was set back: nobody is locked out for ever."""
    call(acquire("a", hold=30_000))
    if spoil == "persist":
        client.persist(LOCK)
    else:
        client.pexpire(LOCK, 3_600_000)
    inspected = call(inspect())

    refused = call(acquire("b"))

    assert inspected.expires_after == refused.retry_after == 30_000 * ms
    assert 0 < client.pttl(LOCK) <= 30_000
    assert call(extend("a", hold=1_000, mode="at_least")).expires_after <= 30_000 * ms


def test_such_a_lock_is_extended_by_no_more_than_it_was_taken_for(call: Any, client: Any) -> None:
    call(acquire("a", hold=30_000))
    client.pexpire(LOCK, 3_600_000)

    assert call(extend("a", hold=1_000, mode="at_least")) == lock.ExtendExtended(30_000 * ms)


@pytest.mark.parametrize("spoil", ["persist", "prolong"])
def test_a_release_of_such_a_lock_leaves_an_expiry_too(call: Any, client: Any, spoil: str) -> None:
    call(acquire("a", hold=30_000))
    if spoil == "persist":
        client.persist(LOCK)
    else:
        client.pexpire(LOCK, 3_600_000)

    call(release("a"))

    assert 0 < client.pttl(LOCK) <= 1_000
    assert 0 < client.pttl(WAKE) <= 30_000
