"""The lock against its model, in any order that hypothesis can think of."""

from __future__ import annotations

from datetime import timedelta

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

from redislua.bindings import lock
from tests.cache.clock import Clocked
from tests.lock import model

LOCK, FENCE, WAKE = "lock:{n}:lock", "lock:{n}:fence", "lock:{n}:wake"
HOLD = 600_000

owners = st.sampled_from(["a", "b", "c\x00é%d"])
times = st.integers(1, 2)


class Machine(RuleBasedStateMachine):
    """One lock."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(LOCK, FENCE, WAKE)
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.State()
        self.ticket: int | None = None

    @rule(owner=owners, with_ticket=st.booleans(), times=times)
    def acquire(self, owner: str, with_ticket: bool, times: int) -> None:
        ticket = str(self.ticket) if with_ticket and self.ticket is not None else None
        call = lock.acquire(name="n", owner=owner, hold=HOLD, ticket=ticket)
        for _ in range(times):
            fence = max(self.clocked.now_us, self.state.last + 1)
            before = self.state
            self.state, expected = model.acquire(before, owner, ticket, fence)
            reply = self.clocked.run(call)
            if expected is None:
                assert isinstance(reply, lock.AcquireHeld)
                assert reply.fence == str(before.held_fence)
                assert timedelta(0) < reply.retry_after <= timedelta(milliseconds=HOLD)
            else:
                assert reply == expected

    @rule(owner=owners, graceful=st.booleans(), times=times)
    def release(self, owner: str, graceful: bool, times: int) -> None:
        call = lock.release(name="n", owner=owner, grace=10_000 if graceful else 0)
        for _ in range(times):
            self.state, expected = model.release(self.state, owner, graceful=graceful)
            assert self.clocked.run(call) == expected

    @rule(owner=owners, hold=st.sampled_from([HOLD, HOLD // 2]), times=times)
    def extend(self, owner: str, hold: int, times: int) -> None:
        expected = model.extend(self.state, owner)
        call = lock.extend(name="n", owner=owner, hold=hold)
        for _ in range(times):
            reply = self.clocked.run(call)
            assert reply == (expected or lock.ExtendExtended(timedelta(milliseconds=hold)))

    @rule()
    def inspect(self) -> None:
        reply = self.clocked.run(lock.inspect(name="n"))

        if isinstance(reply, lock.InspectHeld):
            assert model.inspect(self.state) == (reply.owner, reply.fence)
        else:
            assert model.inspect(self.state) == reply

    @rule()
    def a_waiter_is_woken(self) -> None:
        self.state, expected = model.pop(self.state)
        token = self.client.lpop(WAKE)

        assert token == (None if expected is None else str(expected).encode())
        self.ticket = expected or self.ticket

    @rule(step=st.sampled_from([0, 1, 3_600_000, -1, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @precondition(lambda self: self.state.holder is not None)
    @rule()
    def the_hold_or_the_grace_ends(self) -> None:
        self.client.delete(LOCK)
        self.state = self.state._replace(holder=None, held_fence=0)

    @precondition(lambda self: self.state.fence)
    @rule()
    def the_fence_is_no_longer_kept(self) -> None:
        self.client.delete(FENCE)
        self.state = self.state._replace(fence=0)

    @invariant()
    def the_keys_are_there_exactly_when_they_should_be_and_expire(self) -> None:
        kept = (self.state.holder is not None, self.state.fence > 0, self.state.token is not None)
        for key, is_kept in zip((LOCK, FENCE, WAKE), kept, strict=True):
            assert (self.client.pttl(key) > 0) == is_kept

    @invariant()
    def the_wake_list_holds_one_token_at_most(self) -> None:
        assert self.client.llen(WAKE) <= 1


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None),
    )
