"""`cache.fill`, `cache.abandon` and `cache.invalidate`: the ends of a lease."""

from __future__ import annotations

import time
from typing import Any

import pytest

from redislua.bindings import cache

ENTRY = "cache:{k}:entry"
LEASE = "cache:{k}:lease"
HOLD = 60_000
SOFT = 300_000
HARD = 600_000


def ask(call: Any, owner: str, hold: int = HOLD) -> Any:
    return call(cache.get_or_lock(key="k", owner=owner, hold=hold))


def fill(call: Any, owner: str, value: bytes, **arguments: Any) -> Any:
    spans = {"soft": SOFT, "hard": HARD} | arguments
    return call(cache.fill(key="k", owner=owner, value=value, **spans))


def abandon(call: Any, owner: str, cooldown: int = 30_000) -> Any:
    return call(cache.abandon(key="k", owner=owner, cooldown=cooldown))


def invalidate(call: Any, mode: Any = "delete") -> Any:
    return call(cache.invalidate(key="k", mode=mode))


# --- fill ------------------------------------------------------------------------------------


def test_the_holder_stores_and_the_lease_is_gone(call: Any, client: Any) -> None:
    ask(call, "a")

    assert fill(call, "a", b"v", cost=70) == cache.FillStored()

    assert client.exists(LEASE) == 0
    assert 0 < client.pttl(ENTRY) <= HARD
    fields = client.hgetall(ENTRY)
    assert set(fields) == {b"v", b"d", b"s", b"x", b"n", b"t", b"o"}
    assert (fields[b"v"], fields[b"d"], fields[b"x"], fields[b"n"], fields[b"o"]) == (
        b"1",
        b"v",
        b"70",
        b"0",
        b"a",
    )
    assert int(fields[b"s"]) - int(fields[b"t"]) == SOFT


def test_whoever_does_not_hold_the_lease_stores_nothing(call: Any, client: Any) -> None:
    assert fill(call, "a", b"v") == cache.FillLeaseLost()
    assert client.dbsize() == 0

    ask(call, "a")
    assert fill(call, "b", b"v") == cache.FillLeaseLost()
    assert client.exists(ENTRY) == 0
    assert client.get(LEASE) == b"a"


@pytest.mark.parametrize("mode", ["delete", "mark_stale"])
def test_what_was_fetched_before_an_invalidation_is_not_cached(call: Any, mode: str) -> None:
    """The source changed while `a` was reading it: what it read may be the old value."""
    ask(call, "a")
    invalidate(call, mode)

    assert fill(call, "a", b"old") == cache.FillLeaseLost()
    assert call(cache.read(key="k")) == cache.ReadMissing()


@pytest.mark.parametrize("mode", ["delete", "mark_stale"])
def test_a_refresh_under_way_is_voided_too(call: Any, mode: str) -> None:
    ask(call, "a")
    fill(call, "a", b"old")
    invalidate(call, "mark_stale")
    assert type(ask(call, "b")) is cache.GetOrLockRefresh

    invalidate(call, mode)

    assert fill(call, "b", b"older than the change") == cache.FillLeaseLost()


def test_a_slow_holder_cannot_overwrite_its_successor(call: Any) -> None:
    """The hold was shorter than the fetch: two fetch, and the stale one must not win."""
    assert ask(call, "slow", hold=1) == cache.GetOrLockFill()
    time.sleep(0.02)
    assert ask(call, "next") == cache.GetOrLockFill()

    assert fill(call, "slow", b"stale") == cache.FillLeaseLost()
    assert fill(call, "next", b"new") == cache.FillStored()
    assert fill(call, "slow", b"stale") == cache.FillLeaseLost()
    assert call(cache.read(key="k")).value == b"new"


def test_a_slow_holder_cannot_take_the_lease_of_its_successor_away(call: Any, client: Any) -> None:
    ask(call, "slow", hold=1)
    time.sleep(0.02)
    ask(call, "next")

    assert fill(call, "slow", b"stale") == cache.FillLeaseLost()
    assert abandon(call, "slow") == cache.AbandonLost()
    assert client.get(LEASE) == b"next"


def test_a_hold_that_ran_out_stores_nothing(call: Any) -> None:
    ask(call, "a", hold=1)
    time.sleep(0.02)

    assert fill(call, "a", b"v") == cache.FillLeaseLost()


def test_a_resent_fill_is_recognised_and_writes_nothing(call: Any, client: Any) -> None:
    ask(call, "a")
    assert fill(call, "a", b"v") == cache.FillStored()
    client.pexpire(ENTRY, 1_000)
    before = client.hgetall(ENTRY)

    assert fill(call, "a", b"v") == cache.FillStored()
    assert client.hgetall(ENTRY) == before
    assert client.pttl(ENTRY) <= 1_000


def test_a_resent_fill_is_recognised_while_the_next_refresh_is_under_way(call: Any) -> None:
    ask(call, "a")
    fill(call, "a", b"v", cost=600_000)
    refresh = cache.get_or_lock(key="k", owner="b", hold=HOLD, beta_ppm=100_000_000, draw_ppm=1)
    assert type(call(refresh)) is cache.GetOrLockRefresh

    assert fill(call, "a", b"v", cost=600_000) == cache.FillStored()
    assert fill(call, "b", b"next") == cache.FillStored()


def test_a_second_value_of_the_same_owner_is_not_taken_for_a_resend(call: Any) -> None:
    ask(call, "a")
    fill(call, "a", b"first")

    assert fill(call, "a", b"second") == cache.FillLeaseLost()
    assert fill(call, "a", b"", negative=True) == cache.FillLeaseLost()
    assert call(cache.read(key="k")).value == b"first"


@pytest.mark.parametrize("mode", ["delete", "mark_stale"])
def test_a_resend_after_an_invalidation_says_that_the_value_is_not_cached(
    call: Any, mode: str
) -> None:
    ask(call, "a")
    fill(call, "a", b"v")
    invalidate(call, mode)

    assert fill(call, "a", b"v") == cache.FillLeaseLost()


def test_a_new_value_replaces_every_field_of_the_old_one(call: Any, client: Any) -> None:
    ask(call, "a")
    fill(call, "a", b"", negative=True, cost=5)
    client.hset(ENTRY, "left over", "x")
    invalidate(call, "mark_stale")
    ask(call, "b")

    assert fill(call, "b", b"v") == cache.FillStored()
    fields = client.hgetall(ENTRY)
    assert set(fields) == {b"v", b"d", b"s", b"x", b"n", b"t", b"o"}
    assert (fields[b"n"], fields[b"x"], fields[b"o"]) == (b"0", b"0", b"b")
    assert type(call(cache.read(key="k"))) is cache.ReadHit


@pytest.mark.parametrize(
    "arguments",
    [
        {"value": b"v", "soft": 2, "hard": 1},
        {"value": b"v", "negative": True},
    ],
    ids=["soft beyond hard", "an absence with a value"],
)
def test_arguments_that_contradict_each_other_are_refused(
    call: Any, client: Any, arguments: dict[str, Any]
) -> None:
    ask(call, "a")

    with pytest.raises(cache.BadArgumentError):
        fill(call, "a", **arguments)
    assert client.exists(ENTRY) == 0
    assert client.get(LEASE) == b"a"


def test_the_longest_spans_and_the_largest_value_fit(call: Any, client: Any) -> None:
    longest = 31_622_400_000
    ask(call, "a")

    assert fill(call, "a", b"\x00" * 262_144, soft=longest, hard=longest) == cache.FillStored()
    assert longest - 60_000 < client.pttl(ENTRY) <= longest
    assert call(cache.read(key="k")).value == b"\x00" * 262_144


# --- abandon ---------------------------------------------------------------------------------


def test_only_the_holder_can_abandon(call: Any, client: Any) -> None:
    assert abandon(call, "a") == cache.AbandonLost()
    assert client.dbsize() == 0

    ask(call, "a")
    assert abandon(call, "b") == cache.AbandonLost()
    assert client.get(LEASE) == b"a"


def test_a_resent_abandon_gives_the_same_count_and_leaves_the_cooldown(
    call: Any, client: Any
) -> None:
    ask(call, "a")
    assert abandon(call, "a") == cache.AbandonReleased(fails=1)
    client.pexpire(LEASE, 61_000)

    assert abandon(call, "a") == cache.AbandonReleased(fails=1)
    assert client.pttl(LEASE) <= 61_000
    assert ask(call, "b").fails == 1


def test_failures_in_a_row_are_counted_and_a_value_ends_the_row(call: Any) -> None:
    for number in range(1, 12):
        owner = f"attempt {number}"
        assert ask(call, owner) == cache.GetOrLockFill()
        assert abandon(call, owner, cooldown=1) == cache.AbandonReleased(fails=number)
        time.sleep(0.01)

    ask(call, "lucky")
    assert fill(call, "lucky", b"v") == cache.FillStored()
    invalidate(call)
    ask(call, "next")
    assert abandon(call, "next") == cache.AbandonReleased(fails=1)


def test_a_failure_is_forgotten_a_minute_after_its_cooldown(call: Any, client: Any) -> None:
    ask(call, "a")
    abandon(call, "a", cooldown=30_000)

    assert 60_000 < client.pttl(LEASE) <= 90_000


def test_whoever_abandoned_cannot_store(call: Any) -> None:
    ask(call, "a")
    abandon(call, "a")

    assert fill(call, "a", b"v") == cache.FillLeaseLost()
    assert call(cache.read(key="k")) == cache.ReadMissing()


def test_an_abandon_that_comes_after_a_takeover_is_lost(call: Any) -> None:
    ask(call, "a")
    abandon(call, "a", cooldown=1)
    time.sleep(0.02)
    ask(call, "b")

    assert abandon(call, "a") == cache.AbandonLost()
    assert fill(call, "b", b"v") == cache.FillStored()


# --- invalidate ------------------------------------------------------------------------------


def test_delete_removes_value_and_lease(call: Any, client: Any) -> None:
    ask(call, "a")
    fill(call, "a", b"v")

    assert invalidate(call) == cache.InvalidateInvalidated(existed=True)
    assert client.dbsize() == 0
    assert invalidate(call) == cache.InvalidateInvalidated(existed=False)


def test_mark_stale_keeps_the_value_and_its_hard_expiry(call: Any, client: Any) -> None:
    ask(call, "a")
    fill(call, "a", b"v")

    for _ in range(2):
        assert invalidate(call, "mark_stale") == cache.InvalidateInvalidated(existed=True)
    assert 0 < client.pttl(ENTRY) <= HARD
    assert call(cache.read(key="k")).value == b"v"
    assert type(ask(call, "b")) is cache.GetOrLockRefresh


@pytest.mark.parametrize("mode", ["delete", "mark_stale"])
def test_invalidating_nothing_leaves_nothing(call: Any, client: Any, mode: str) -> None:
    assert invalidate(call, mode) == cache.InvalidateInvalidated(existed=False)
    assert client.dbsize() == 0


@pytest.mark.parametrize("mode", ["delete", "mark_stale"])
def test_an_invalidation_ends_a_cooldown(call: Any, mode: str) -> None:
    ask(call, "a")
    abandon(call, "a")

    invalidate(call, mode)

    assert ask(call, "b") == cache.GetOrLockFill()
