"""`settle`, `take_up_to`, `gcra` and `reset` on one subject, against a model, whatever the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import limit
from redislua.runtime import Call
from tests.cache.clock import Clocked
from tests.limit.model import Bucket, Rate

STATE, SETTLED = "limit:{u}:gcra", "limit:{u}:settled"
RATES = (Rate(600_000_000, 6), Rate(600_000_000, 6, max_debt=4), Rate(1_000_000, 2, max_debt=9))
NAMES = [f"t{at:02}" for at in range(80)]


class Machine(RuleBasedStateMachine):
    """The calls of one subject under a clock that also stands still and goes back."""

    def __init__(self, client: redis.Redis, rate: Rate) -> None:
        super().__init__()
        client.flushall()
        self.client = client
        self.clocked = Clocked(client)
        self.model = Bucket(rate)
        self.last: tuple[Call[limit.SettleReply], int, str] | None = None
        self.rate: dict[str, Any] = {
            "subject": "u",
            "limit": 1,
            "period": timedelta(microseconds=rate.token_us),
            "burst": rate.burst,
            "max_debt": rate.max_debt,
        }

    @rule(cost=st.integers(0, 2))
    def consume(self, cost: int) -> None:
        reply = self.clocked.run(limit.gcra(**self.rate, cost=cost))
        now_us = self.clocked.now_us

        is_granted = self.model.consume(now_us, cost)
        assert isinstance(reply, limit.GcraAllowed if is_granted else limit.GcraLimited)
        assert reply.remaining == max(self.model.left(now_us), 0)

    @rule(count=st.integers(1, 8))
    def take_up_to(self, count: int) -> None:
        reply = self.clocked.run(limit.take_up_to(**self.rate, count=count))
        now_us = self.clocked.now_us

        granted = self.model.take_up_to(now_us, count)
        if isinstance(reply, limit.TakeUpToGranted):
            assert (reply.granted, reply.remaining) == (granted, self.model.left(now_us))
        else:
            assert granted == 0
            until_us = now_us + reply.retry_after // timedelta(microseconds=1)
            assert self.model.left(until_us) >= 1 > self.model.left(until_us - 1_000)

    @rule(delta=st.integers(-9, 20), name=st.sampled_from(NAMES))
    def settle(self, delta: int, name: str) -> None:
        call = limit.settle(**self.rate, delta=delta, token=name)
        self._settled(call, delta, name)
        self.last = call, delta, name

    @rule()
    def send_again(self) -> None:
        """The last correction, whatever came in between."""
        if self.last:
            self._settled(*self.last)

    @rule(names=st.permutations(NAMES[:70]))
    def settle_many(self, names: list[str]) -> None:
        """More than are remembered, in one moment."""
        for name in names:
            self._settled(limit.settle(**self.rate, delta=0, token=name), 0, name)

    def _settled(self, call: Call[limit.SettleReply], delta: int, name: str) -> None:
        reply = self.clocked.run(call)

        expected = self.model.settle(self.clocked.now_us, delta, name)
        assert type(reply).__name__ == f"Settle{expected}"
        assert reply.remaining == self.model.left(self.clocked.now_us)

    @rule()
    def reset(self) -> None:
        reply = self.clocked.run(limit.reset(subject="u"))

        assert reply == limit.ResetReset(existed=self.model.reset())

    @rule(step=st.sampled_from([0, 1, 999, 60_000, 43_200_000, 86_400_001, -1, -999, -43_200_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @invariant()
    def everything_expires(self) -> None:
        assert self.client.pttl(STATE) != -1
        assert self.client.pttl(SETTLED) != -1


@pytest.mark.parametrize("rate", RATES, ids=["no debt", "debt", "more debt than burst"])
def test_it_behaves_as_its_model(client: redis.Redis, rate: Rate) -> None:
    run_state_machine_as_test(
        lambda: Machine(client, rate),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=30, stateful_step_count=25, deadline=None),
    )
