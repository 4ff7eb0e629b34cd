"""The lease and the entry against a model, in any order that hypothesis can think of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from redislua.bindings import cache

from .clock import Clocked

ENTRY = "cache:{k}:entry"
LEASE = "cache:{k}:lease"
HOLD = 600_000
HARD = 31_622_400_000

owners = st.sampled_from(["a", "b", "c\x00é%d"])
values = st.sampled_from([b"", b"v", b"\x00\xff"])
stale = st.booleans()

ms = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Entry:
    """What was stored last."""

    value: bytes
    stored_at: int
    soft_at: int
    cost: int
    negative: bool
    owner: str


@dataclass(frozen=True)
class Lease:
    """Who may store; ``cooling`` when nobody may because `owner` failed."""

    owner: str
    fails: int = 0
    cooling: bool = False


class Cache(RuleBasedStateMachine):
    """One key."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(ENTRY, LEASE)
        self.client = client
        self.clocked = Clocked(client)
        self.entry: Entry | None = None
        self.lease: Lease | None = None
        self.cooldown_over = False

    # --- the model ---------------------------------------------------------------------------

    def spans(self, entry: Entry) -> tuple[timedelta, timedelta]:
        """Age and remaining freshness."""
        now = self.clocked.now_ms
        if now < entry.stored_at:
            return 0 * ms, 0 * ms
        return (now - entry.stored_at) * ms, max(entry.soft_at - now, 0) * ms

    def is_free_for(self, owner: str) -> bool:
        lease = self.lease
        if lease is None:
            return True
        return self.cooldown_over if lease.cooling else lease.owner == owner

    def answer(self, owner: str, beta: int, draw: int, allow_stale: bool) -> Any:
        """What `get_or_lock` must answer; None stands for Wait. Takes the lease if it is due."""
        entry = self.entry
        age, left = self.spans(entry) if entry else (0 * ms, 0 * ms)
        served: Any = None
        if entry is not None and (left or allow_stale):
            if entry.negative:
                served = cache.GetOrLockNegative(left)
            elif left:
                served = cache.GetOrLockHit(entry.value, age, left)
            else:
                served = cache.GetOrLockStale(entry.value, age)
        if entry is not None and left:
            early = -entry.cost * (beta / 1e6) * math.log(draw / 1e6)
            if early * ms < left:
                return served
        if not self.is_free_for(owner):
            return served
        self.lease = Lease(owner, self.lease.fails if self.lease else 0)
        if entry is None or served is None or entry.negative:
            return cache.GetOrLockFill()
        return cache.GetOrLockRefresh(entry.value, age)

    # --- what callers do -----------------------------------------------------------------------

    @rule(
        owner=owners,
        beta=st.sampled_from([0, 1_000_000, 100_000_000]),
        draw=st.sampled_from([1, 500_000, 1_000_000]),
        allow_stale=stale,
        times=st.integers(1, 2),
    )
    def ask(self, owner: str, beta: int, draw: int, allow_stale: bool, times: int) -> None:
        expected = self.answer(owner, beta, draw, allow_stale)
        call = cache.get_or_lock(
            key="k",
            owner=owner,
            hold=HOLD,
            beta_ppm=beta,
            draw_ppm=draw,
            allow_stale=allow_stale,
        )
        for _ in range(times):
            reply = self.clocked.run(call)
            if expected is None:
                assert isinstance(reply, cache.GetOrLockWait)
                assert self.lease is not None
                assert reply.fails == self.lease.fails
                assert reply.fetching is not self.lease.cooling
                assert 0 * ms < reply.retry_after <= HOLD * ms
            else:
                assert reply == expected

    @rule(
        owner=owners,
        value=values,
        soft=st.sampled_from([1, 50, 5_000, HARD]),
        cost=st.sampled_from([0, 10, 600_000]),
        negative=st.booleans(),
        times=st.integers(1, 2),
    )
    def fill(
        self, owner: str, value: bytes, soft: int, cost: int, negative: bool, times: int
    ) -> None:
        value = b"" if negative else value
        now, lease, entry = self.clocked.now_ms, self.lease, self.entry
        stored = True
        if lease is not None and lease.owner == owner and not lease.cooling:
            self.entry = Entry(value, now, now + soft, cost, negative, owner)
            self.lease = None
        else:
            stored = entry is not None and (entry.owner, entry.value, entry.negative) == (
                owner,
                value,
                negative,
            )
        call = cache.fill(
            key="k", owner=owner, value=value, soft=soft, hard=HARD, cost=cost, negative=negative
        )
        for _ in range(times):
            reply = self.clocked.run(call)
            assert reply == (cache.FillStored() if stored else cache.FillLeaseLost())

    @rule(owner=owners, times=st.integers(1, 2))
    def abandon(self, owner: str, times: int) -> None:
        expected: Any = cache.AbandonLost()
        lease = self.lease
        if lease is not None and lease.owner == owner:
            if not lease.cooling:
                self.lease = lease = Lease(owner, lease.fails + 1, cooling=True)
                self.cooldown_over = False
            expected = cache.AbandonReleased(lease.fails)
        for _ in range(times):
            assert self.clocked.run(cache.abandon(key="k", owner=owner, cooldown=HOLD)) == expected

    @rule(mode=st.sampled_from(["delete", "mark_stale"]))
    def invalidate(self, mode: Any) -> None:
        expected = cache.InvalidateInvalidated(self.entry is not None)
        self.lease = None
        if mode == "delete":
            self.entry = None
        elif self.entry is not None:
            self.entry = replace(self.entry, soft_at=0, owner="")

        assert self.clocked.run(cache.invalidate(key="k", mode=mode)) == expected

    @rule()
    def read(self) -> None:
        expected: Any = cache.ReadMissing()
        if self.entry is not None:
            age, left = self.spans(self.entry)
            if self.entry.negative:
                expected = cache.ReadNegative(left)
            elif left:
                expected = cache.ReadHit(self.entry.value, age, left)
            else:
                expected = cache.ReadStale(self.entry.value, age)

        assert self.clocked.run(cache.read(key="k")) == expected

    # --- what time does ------------------------------------------------------------------------

    @rule(step=st.sampled_from([1, 49, 50, 4_000, 86_400_000, -1, -60, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @precondition(lambda self: self.lease is not None)
    @rule()
    def the_lease_expires(self) -> None:
        self.client.delete(LEASE)
        self.lease = None

    @precondition(lambda self: self.lease is not None and self.lease.cooling)
    @rule()
    def the_cooldown_ends(self) -> None:
        self.client.pexpire(LEASE, 59_000)  # what a count outlives its cooldown by, less a second
        self.cooldown_over = True

    @precondition(lambda self: self.entry is not None)
    @rule()
    def the_entry_expires(self) -> None:
        self.client.delete(ENTRY)
        self.entry = None

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def both_keys_are_there_exactly_when_they_should_be_and_expire(self) -> None:
        for key, kept in ((ENTRY, self.entry), (LEASE, self.lease)):
            assert (self.client.pttl(key) > 0) == (kept is not None)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Cache(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None),
    )
