"""Numbers against a model: blocks, resends, a clock that jumps, a key that is lost."""

from __future__ import annotations

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

from redislua.bindings import sequence
from redislua.runtime import Call
from redislua.spec.model import MAX_SAFE_INTEGER
from tests.cache.clock import Clocked

KEY = "sequence:{orders}:last"
KEEP_MS = 3_600_000


class Numbers(RuleBasedStateMachine):
    """One sequence."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.clocked = Clocked(client)
        self.last: int | None = None
        self.taken: set[int] = set()
        self.earliest_us = 0
        self.sent: Call[sequence.NextRange] | None = None

    @rule(count=st.sampled_from([1, 2, 7, 1000]))
    def take(self, count: int) -> None:
        self.sent = sequence.next(name="orders", count=count, keep=KEEP_MS)
        self.receive(self.sent, count)

    @precondition(lambda self: self.sent is not None)
    @rule()
    def resend(self) -> None:
        """The reply was lost: its numbers are never seen, and others come."""
        assert self.sent is not None
        self.receive(self.sent, int(self.sent.args[0]))

    def receive(self, call: Call[sequence.NextRange], count: int) -> None:
        first = max(self.clocked.now_us, (self.last or 0) + 1)

        assert self.clocked.run(call) == sequence.NextRange(first, count)
        numbers = range(first, first + count)
        assert self.taken.isdisjoint(numbers)
        self.taken.update(numbers)
        self.last = numbers[-1]

    @rule(us=st.sampled_from([1, 3, 1_000, 5_000_000]))
    def time_goes_by(self, us: int) -> None:
        self.clocked.now_us += us

    @rule(us=st.sampled_from([1, 999, 60_000_000]))
    def the_clock_is_set_back(self, us: int) -> None:
        self.clocked.now_us = max(self.clocked.now_us - us, self.earliest_us)

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_key_is_lost(self) -> None:
        """When its last number is past; the clock is not set back behind that any more."""
        assert self.last is not None
        self.earliest_us = self.last + 1
        self.clocked.now_us = max(self.clocked.now_us, self.earliest_us)
        self.client.delete(KEY)
        self.last = None

    @rule(left=st.sampled_from([0, 1, 2]))
    def the_end_is_near(self, left: int) -> None:
        """A block that does not fit is refused and leaves all as it is."""
        before = self.client.get(KEY)
        self.client.set(KEY, MAX_SAFE_INTEGER - left, px=KEEP_MS)
        call = sequence.next(name="orders", count=left + 1, keep=KEEP_MS)
        assert self.refused(call)
        assert self.client.get(KEY) == b"%d" % (MAX_SAFE_INTEGER - left)
        self.client.delete(KEY)
        if before is not None:
            self.client.set(KEY, before, px=KEEP_MS)

    def refused(self, call: Call[Any]) -> bool:
        try:
            self.clocked.run(call)
        except redis.ResponseError as error:
            return str(error).startswith("RLUA_BAD_STATE")
        return False

    @invariant()
    def the_last_number_is_kept_and_expires(self) -> None:
        stored: Any = self.client.get(KEY)
        assert (int(stored) if stored is not None else None) == self.last
        assert (self.client.pttl(KEY) > 0) == (self.last is not None)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Numbers(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None),
    )
