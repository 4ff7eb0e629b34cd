"""`cache.get_or_lock` and `cache.read`: who is served what, and who fetches."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import cache

ENTRY = "cache:{k}:entry"
LEASE = "cache:{k}:lease"
HOLD = 60_000
BINARY = b"\x00\xff\xfe{not utf-8}\r\n\x00"
EARLIEST = {"beta_ppm": 100_000_000, "draw_ppm": 1}

ms = timedelta(milliseconds=1)


def ask(call: Any, owner: str, **arguments: Any) -> Any:
    return call(cache.get_or_lock(key="k", owner=owner, hold=HOLD, **arguments))


def store(call: Any, value: bytes = b"value", **arguments: Any) -> None:
    """Make an entry, as whoever asks first would."""
    assert ask(call, "filler") == cache.GetOrLockFill()
    spans = {"soft": 600_000, "hard": 600_000} | arguments
    stored = call(cache.fill(key="k", owner="filler", value=value, **spans))
    assert stored == cache.FillStored()


def mark_stale(call: Any) -> None:
    call(cache.invalidate(key="k", mode="mark_stale"))


def test_on_a_miss_one_caller_fetches_and_the_others_wait(call: Any) -> None:
    first = ask(call, "a")
    others = [ask(call, owner) for owner in ("b", "c", "d")]

    assert first == cache.GetOrLockFill()
    assert all(type(other) is cache.GetOrLockWait for other in others)
    assert all(0 * ms < other.retry_after <= HOLD * ms and other.fails == 0 for other in others)


def test_the_owner_that_asks_again_gets_the_same_answer(call: Any) -> None:
    assert ask(call, "a") == cache.GetOrLockFill()
    assert ask(call, "a") == cache.GetOrLockFill()

    call(cache.fill(key="k", owner="a", value=b"v", soft=HOLD, hard=HOLD))
    mark_stale(call)

    first, second = ask(call, "b"), ask(call, "b")
    assert type(first) is type(second) is cache.GetOrLockRefresh
    assert first.value == second.value == b"v"


def test_a_refresh_that_was_drawn_early_is_repeated_to_its_owner(call: Any) -> None:
    store(call, cost=600_000)

    first, second = (ask(call, "a", **EARLIEST) for _ in range(2))

    assert type(first) is type(second) is cache.GetOrLockRefresh


def test_asking_again_starts_the_hold_anew(call: Any, client: Any) -> None:
    ask(call, "a")
    client.pexpire(LEASE, 1_000)

    ask(call, "a")

    assert 1_000 < client.pttl(LEASE) <= HOLD


def test_a_fresh_value_is_served_to_everybody(call: Any) -> None:
    store(call, BINARY, soft=60_000, hard=120_000)

    for owner in ("filler", "b"):
        hit = ask(call, owner)
        assert type(hit) is cache.GetOrLockHit
        assert hit.value == BINARY
        assert hit.age >= 0 * ms
        assert 0 * ms < hit.fresh_for <= 60_000 * ms
        assert hit.age + hit.fresh_for == 60_000 * ms


def test_an_empty_value_is_a_value(call: Any) -> None:
    """An empty string is neither a miss nor an absence."""
    store(call, b"")

    assert ask(call, "a").value == b""
    assert call(cache.read(key="k")).value == b""


def test_past_its_soft_expiry_one_caller_refreshes_and_the_others_are_served(call: Any) -> None:
    store(call, BINARY, soft=1, hard=600_000)
    time.sleep(0.02)

    first, second, again = ask(call, "a"), ask(call, "b"), ask(call, "a")

    assert type(first) is type(again) is cache.GetOrLockRefresh
    assert type(second) is cache.GetOrLockStale
    assert first.value == second.value == BINARY
    assert 10 * ms <= first.age <= second.age


def test_a_caller_that_refuses_stale_values_sees_a_miss(call: Any) -> None:
    store(call)
    mark_stale(call)

    winner = ask(call, "a", allow_stale=False)
    other = ask(call, "b", allow_stale=False)
    tolerant = ask(call, "b")

    assert winner == cache.GetOrLockFill()
    assert type(other) is cache.GetOrLockWait
    assert type(tolerant) is cache.GetOrLockStale


def test_an_early_refresh_has_one_winner_and_the_rest_hit(call: Any) -> None:
    store(call, cost=600_000)

    winner = ask(call, "a", **EARLIEST)
    loser = ask(call, "b", **EARLIEST)
    strict = ask(call, "c", allow_stale=False, **EARLIEST)
    bystander = ask(call, "d")

    assert type(winner) is cache.GetOrLockRefresh
    assert {type(reply) for reply in (loser, strict, bystander)} == {cache.GetOrLockHit}


@pytest.mark.parametrize(
    "draw",
    [
        {"beta_ppm": 100_000_000},
        {"beta_ppm": 0, "draw_ppm": 1},
    ],
    ids=["the default draw", "beta 0"],
)
def test_no_refresh_is_early_without_a_draw_or_beta(call: Any, draw: dict[str, int]) -> None:
    store(call, cost=600_000)

    assert type(ask(call, "a", **draw)) is cache.GetOrLockHit


def test_a_value_that_was_quick_to_fetch_is_not_refreshed_early(call: Any) -> None:
    store(call, cost=0)

    assert type(ask(call, "a", **EARLIEST)) is cache.GetOrLockHit


def test_a_holder_that_died_is_replaced_once_its_hold_is_over(call: Any) -> None:
    assert call(cache.get_or_lock(key="k", owner="a", hold=1)) == cache.GetOrLockFill()
    time.sleep(0.02)

    assert ask(call, "b") == cache.GetOrLockFill()
    assert type(ask(call, "a")) is cache.GetOrLockWait


def test_a_cached_absence_is_told_from_a_miss(call: Any) -> None:
    store(call, b"", negative=True, soft=60_000)

    for reply in (ask(call, "a"), call(cache.read(key="k"))):
        assert type(reply) in (cache.GetOrLockNegative, cache.ReadNegative)
        assert 0 * ms < reply.fresh_for <= 60_000 * ms


def test_an_absence_past_its_soft_expiry_is_fetched_by_one_caller(call: Any) -> None:
    store(call, b"", negative=True)
    mark_stale(call)

    assert ask(call, "a") == cache.GetOrLockFill()
    assert ask(call, "b") == cache.GetOrLockNegative(fresh_for=0 * ms)
    assert type(ask(call, "b", allow_stale=False)) is cache.GetOrLockWait


def test_an_absence_may_be_checked_early(call: Any) -> None:
    store(call, b"", negative=True, cost=600_000)

    assert ask(call, "a", **EARLIEST) == cache.GetOrLockFill()
    for allow_stale in (True, False):
        loser = ask(call, "b", allow_stale=allow_stale, **EARLIEST)
        assert type(loser) is cache.GetOrLockNegative
        assert loser.fresh_for > 0 * ms


def test_a_failed_fetch_reaches_every_waiter_at_once(call: Any) -> None:
    """Nobody polls until the hold runs out, and nobody fetches during the cooldown."""
    ask(call, "a")
    call(cache.abandon(key="k", owner="a", cooldown=30_000))

    for owner in ("a", *(f"waiter {number}" for number in range(20))):
        reply = ask(call, owner)
        assert type(reply) is cache.GetOrLockWait
        assert reply.fails == 1
        assert 0 * ms < reply.retry_after <= 30_000 * ms


def test_a_stale_value_bridges_a_cooldown(call: Any) -> None:
    store(call)
    mark_stale(call)
    ask(call, "a")
    call(cache.abandon(key="k", owner="a", cooldown=30_000))

    assert type(ask(call, "b")) is cache.GetOrLockStale
    refused = ask(call, "b", allow_stale=False)
    assert type(refused) is cache.GetOrLockWait
    assert (refused.fails, refused.fetching) == (1, False)


def test_after_a_cooldown_one_caller_tries_again(call: Any) -> None:
    ask(call, "a")
    call(cache.abandon(key="k", owner="a", cooldown=1))
    time.sleep(0.02)

    assert ask(call, "b") == cache.GetOrLockFill()
    assert ask(call, "b") == cache.GetOrLockFill()
    waiting = ask(call, "c")
    assert type(waiting) is cache.GetOrLockWait
    assert (waiting.fails, waiting.fetching) == (1, True)


@pytest.mark.parametrize("owner", ["a\x00b", "%s%d", "é" * 24, "-", "5"])
def test_any_text_can_be_an_owner_even_after_failures(call: Any, owner: str) -> None:
    ask(call, owner)
    call(cache.abandon(key="k", owner=owner, cooldown=1))
    time.sleep(0.02)

    assert ask(call, owner) == cache.GetOrLockFill()
    assert type(ask(call, "other")) is cache.GetOrLockWait
    filled = call(cache.fill(key="k", owner=owner, value=b"v", soft=HOLD, hard=HOLD))
    assert filled == cache.FillStored()


def test_an_owner_that_looks_like_a_failure_is_refused(call: Any, client: Any) -> None:
    with pytest.raises(cache.BadArgumentError, match="owner"):
        ask(call, "!1:a")
    with pytest.raises(cache.BadArgumentError, match="owner"):
        call(cache.abandon(key="k", owner="!1:a", cooldown=1))
    with pytest.raises(cache.BadArgumentError, match="owner"):
        call(cache.fill(key="k", owner="!", value=b"", soft=1, hard=1))

    assert client.dbsize() == 0


def test_a_lease_that_lost_its_expiry_locks_nobody_out(call: Any, client: Any) -> None:
    ask(call, "a")
    client.persist(LEASE)

    assert ask(call, "b") == cache.GetOrLockFill()
    assert 0 < client.pttl(LEASE) <= HOLD


def test_a_lease_from_before_the_clock_was_set_back_locks_nobody_out(
    call: Any, client: Any
) -> None:
    """No hold is longer than ten minutes, so such an expiry can only be a clock's doing."""
    ask(call, "a")
    client.pexpire(LEASE, 3_600_000)

    assert ask(call, "b") == cache.GetOrLockFill()


def test_read_takes_no_lease(call: Any, client: Any) -> None:
    assert call(cache.read(key="k")) == cache.ReadMissing()
    assert client.dbsize() == 0

    store(call, BINARY)
    hit = call(cache.read(key="k"))
    assert type(hit) is cache.ReadHit
    assert hit.value == BINARY
    assert hit.age + hit.fresh_for == 600_000 * ms

    mark_stale(call)
    stale = call(cache.read(key="k"))
    assert type(stale) is cache.ReadStale
    assert stale.value == BINARY
    assert client.exists(LEASE) == 0


def test_read_of_a_stale_absence_says_how_stale(call: Any) -> None:
    store(call, b"", negative=True)
    mark_stale(call)

    assert call(cache.read(key="k")) == cache.ReadNegative(fresh_for=0 * ms)
