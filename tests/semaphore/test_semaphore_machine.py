"""The semaphore against its model, in any order that hypothesis can think of."""

from __future__ import annotations

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import semaphore
from tests.cache.clock import Clocked
from tests.semaphore import model

LEASES, PASSING, WAKE = (f"semaphore:{{n}}:{suffix}" for suffix in ("leases", "passing", "wake"))
LIMIT = 3

owners = st.sampled_from(["a", "b", "c", "d", "e\x00é%d"])
holds = st.sampled_from([1, 5_000, 60_000])
graces = st.sampled_from([0, 1_000, 10_000])
times = st.integers(1, 2)


class Machine(RuleBasedStateMachine):
    """One semaphore, under a clock that the test sets: no key of it expires by itself."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(LEASES, PASSING, WAKE)
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.State()
        self.ticket: str | None = None

    @rule(
        owner=owners,
        hold=holds,
        limit=st.sampled_from([LIMIT, LIMIT, LIMIT, LIMIT - 1]),
        with_ticket=st.booleans(),
        times=times,
    )
    def acquire(self, owner: str, hold: int, limit: int, with_ticket: bool, times: int) -> None:
        ticket = self.ticket if with_ticket else None
        call = semaphore.acquire(name="n", owner=owner, limit=limit, hold=hold, ticket=ticket)
        for _ in range(times):
            self.state, expected = model.acquire(
                self.state, self.clocked.now_ms, owner, limit, hold, ticket
            )
            assert self.clocked.run(call) == expected

    @rule(owner=owners, hold=holds, times=times)
    def renew(self, owner: str, hold: int, times: int) -> None:
        call = semaphore.renew(name="n", owner=owner, hold=hold)
        for _ in range(times):
            self.state, expected = model.renew(self.state, self.clocked.now_ms, owner, hold)
            assert self.clocked.run(call) == expected

    @rule(owner=owners, grace=graces, times=times)
    def release(self, owner: str, grace: int, times: int) -> None:
        call = semaphore.release(name="n", owner=owner, grace=grace)
        for _ in range(times):
            self.state, expected = model.release(self.state, self.clocked.now_ms, owner, grace)
            assert self.clocked.run(call) == expected

    @rule()
    def a_waiter_is_woken(self) -> None:
        self.state, expected = model.pop(self.state)
        token = self.client.lpop(WAKE)

        assert token == (None if expected is None else expected.encode())
        self.ticket = expected or self.ticket

    @rule(step=st.sampled_from([1, 999, 1_000, 5_000, 60_000, -1, -3_600_000, -3 * model.DAY_MS]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @invariant()
    def nobody_is_one_too_many(self) -> None:
        held = self.client.zcount(LEASES, f"({self.clocked.now_ms}", "+inf")
        assert held == len(self.state.held(self.clocked.now_ms)) <= LIMIT

    @invariant()
    def the_wake_list_is_no_longer_than_there_are_slots(self) -> None:
        assert self.client.llen(WAKE) == len(self.state.tokens) <= LIMIT + 1

    @invariant()
    def what_is_there_expires(self) -> None:
        for key in (LEASES, PASSING, WAKE):
            assert self.client.pttl(key) > 0 or not self.client.exists(key)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=80, stateful_step_count=40, deadline=None),
    )
