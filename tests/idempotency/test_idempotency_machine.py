"""The scripts of `idempotency` against their model, in any order that hypothesis can think of."""

from __future__ import annotations

from datetime import timedelta

import pytest
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

from redislua.bindings import idempotency as idem
from tests.cache.clock import Clocked
from tests.idempotency import model

KEY = "idempotency:{k}:request"
HOLD, LONGEST, TTL = 60_000, 86_400_000, 31_622_400_000

owners = st.sampled_from(["a", "b", "c\x00é%d"])
fingerprints = st.sampled_from(["f", "f", "f", "g"])
responses = st.sampled_from([b"", b"r", b"\x00\xff"])
times = st.integers(1, 2)

ms = timedelta(milliseconds=1)


class Machine(RuleBasedStateMachine):
    """One key."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.clocked = Clocked(client)
        self.state: model.State = None
        self.until_ms = 0

    def held(self, hold: int, *, is_new: bool) -> None:
        """The hold begins, or is prolonged."""
        until_ms = self.clocked.now_ms + hold
        if is_new or self.until_ms > self.clocked.now_ms + LONGEST:
            self.until_ms = until_ms
        self.until_ms = max(until_ms, self.until_ms)

    @invariant()
    def the_model_knows_whether_the_hold_is_over(self) -> None:
        left = self.until_ms - self.clocked.now_ms
        if self.state is not None and self.state.status == "running":
            self.state = self.state._replace(is_over=left <= 0 or left > LONGEST)

    @rule(owner=owners, fingerprint=fingerprints, hold=st.sampled_from([1, HOLD]), times=times)
    def begin(self, owner: str, fingerprint: str, hold: int, times: int) -> None:
        call = idem.begin(key="k", owner=owner, hold=hold, ttl=TTL, fingerprint=fingerprint)
        for _ in range(times):
            self.state, expected = model.begin(self.state, owner, fingerprint)
            reply = self.clocked.run(call)
            if expected is None:
                left = self.until_ms - self.clocked.now_ms
                assert reply == idem.BeginInProgress(left * ms)
            else:
                assert reply == expected
            if isinstance(expected, idem.BeginStarted):
                self.held(hold, is_new=not expected.replayed)

    @rule(owner=owners, hold=st.sampled_from([1, HOLD, LONGEST]), times=times)
    def extend(self, owner: str, hold: int, times: int) -> None:
        call = idem.extend(key="k", owner=owner, hold=hold)
        for _ in range(times):
            self.state, expected = model.extend(self.state, owner)
            reply = self.clocked.run(call)
            if expected is None:
                self.held(hold, is_new=False)
                left = self.until_ms - self.clocked.now_ms
                assert reply == idem.ExtendExtended(left * ms)
            else:
                assert reply == expected

    @rule(owner=owners, response=responses, times=times)
    def complete(self, owner: str, response: bytes, times: int) -> None:
        call = idem.complete(key="k", owner=owner, response=response, ttl=TTL)
        for _ in range(times):
            self.state, expected = model.complete(self.state, owner, response)
            assert self.clocked.run(call) == expected

    @rule(owner=owners, response=responses, times=times)
    def fail(self, owner: str, response: bytes, times: int) -> None:
        call = idem.fail(key="k", owner=owner, mode="final", response=response or None, ttl=TTL)
        for _ in range(times):
            self.state, expected = model.fail(self.state, owner, response)
            assert self.clocked.run(call) == expected

    @rule(owner=owners, times=times)
    def give_back(self, owner: str, times: int) -> None:
        for _ in range(times):
            self.state, expected = model.fail(self.state, owner, None)
            assert self.clocked.run(idem.fail(key="k", owner=owner, mode="retry")) == expected

    @rule(step=st.sampled_from([1, HOLD, -1, -LONGEST, -2 * LONGEST]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @precondition(lambda self: self.state is not None)
    @rule()
    def the_key_expires(self) -> None:
        self.client.delete(KEY)
        self.state = None

    @invariant()
    def the_key_is_there_exactly_when_it_should_be_and_expires(self) -> None:
        assert (self.client.pttl(KEY) > 0) == (self.state is not None)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=80, stateful_step_count=30, deadline=None),
    )


@pytest.mark.parametrize("back_ms", [LONGEST + 1, 365 * LONGEST])
def test_a_clock_that_was_set_back_locks_nobody_out(client: redis.Redis, back_ms: int) -> None:
    """No hold is longer than a day, so one that ends later is over."""
    clocked = Clocked(client)
    clocked.run(idem.begin(key="k", owner="a", hold=HOLD, ttl=TTL))
    clocked.advance(-back_ms)

    begun = clocked.run(idem.begin(key="k", owner="b", hold=HOLD, ttl=TTL))
    assert begun == idem.BeginStarted(2, replayed=False)


def test_an_owner_whose_hold_ends_too_late_gets_the_one_it_asks_for(client: redis.Redis) -> None:
    clocked = Clocked(client)
    clocked.run(idem.begin(key="k", owner="a", hold=HOLD, ttl=TTL))
    clocked.advance(-2 * LONGEST)

    extended = clocked.run(idem.extend(key="k", owner="a", hold=HOLD))
    assert extended == idem.ExtendExtended(HOLD * ms)
    waiting = clocked.run(idem.begin(key="k", owner="b", hold=HOLD, ttl=TTL))
    assert waiting == idem.BeginInProgress(HOLD * ms)
