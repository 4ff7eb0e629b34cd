"""The scripts of `queue` against their model, in any order that hypothesis can think of."""

from __future__ import annotations

from typing import Any, Literal

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import queue
from tests.cache.clock import Clocked
from tests.queue import model

LEASE, LONGEST = 60_000, model.LONGEST_LEASE

ids = st.sampled_from(["a", "b", "c", "v", "é\x00%d"])
receipts = st.sampled_from(["1", "11", "r\x00é%d"])
spans = st.sampled_from([0, 1, LEASE])
payloads = st.sampled_from([b"", b"p", b"\x00\xff", b"x" * 40_000])
max_attempts = st.sampled_from([1, 2, 25])
keep_dead = st.sampled_from([0, 1, 1_000])
times = st.integers(1, 2)


class Machine(RuleBasedStateMachine):
    """One queue."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.flushall()
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.EMPTY
        self.tokens = 0

    @property
    def now(self) -> int:
        """The time of the test."""
        return self.clocked.now_ms

    @rule(
        id_=ids,
        payload=payloads,
        delay=spans,
        mode=st.sampled_from(["if_absent", "replace"]),
        is_new=st.booleans(),
        times=times,
    )
    def schedule(
        self,
        id_: str,
        payload: bytes,
        delay: int,
        mode: Literal["if_absent", "replace"],
        is_new: bool,
        times: int,
    ) -> None:
        self.tokens += is_new
        token = f"t{self.tokens}"
        call = queue.schedule(
            name="q", id=id_, payload=payload, delay=delay, mode=mode, token=token
        )
        for _ in range(times):
            self.state, expected = model.schedule(
                self.state, id_, payload, token, self.now + delay, replace=mode == "replace"
            )
            assert self.clocked.run(call) == expected

    @rule(
        receipt=receipts,
        lease=st.sampled_from([1, LEASE, LONGEST]),
        count=st.sampled_from([1, 3, 100]),
        max_attempts=max_attempts,
        keep_dead=keep_dead,
        times=times,
    )
    def claim(
        self,
        receipt: str,
        lease: int,
        count: int,
        max_attempts: int,
        keep_dead: int,
        times: int,
    ) -> None:
        call = queue.claim(
            name="q",
            receipt=receipt,
            lease=lease,
            count=count,
            max_attempts=max_attempts,
            keep_dead=keep_dead,
        )
        for _ in range(times):
            self.state, expected = model.claim(
                self.state, receipt, self.now, lease, count, max_attempts, keep_dead
            )
            assert self.clocked.run(call) == expected

    @rule(id_=ids, receipt=receipts, times=times)
    def ack(self, id_: str, receipt: str, times: int) -> None:
        for _ in range(times):
            self.state, expected = model.ack(self.state, id_, receipt)
            assert self.clocked.run(queue.ack(name="q", id=id_, receipt=receipt)) == expected

    @rule(
        id_=ids,
        receipt=receipts,
        delay=spans,
        max_attempts=max_attempts,
        keep_dead=keep_dead,
        times=times,
    )
    def nack(
        self, id_: str, receipt: str, delay: int, max_attempts: int, keep_dead: int, times: int
    ) -> None:
        call = queue.nack(
            name="q",
            id=id_,
            receipt=receipt,
            delay=delay,
            max_attempts=max_attempts,
            keep_dead=keep_dead,
        )
        for _ in range(times):
            self.state, expected = model.nack(
                self.state, id_, receipt, self.now, delay, max_attempts, keep_dead
            )
            assert self.clocked.run(call) == expected

    @rule(id_=st.none() | ids, receipt=receipts, lease=st.sampled_from([1, LEASE]))
    def renew(self, id_: str | None, receipt: str, lease: int) -> None:
        self.state, expected = model.renew(self.state, receipt, self.now, lease, id_)
        call = queue.renew(name="q", receipt=receipt, lease=lease, id=id_)
        assert self.clocked.run(call) == expected

    @rule(id_=ids)
    def remove(self, id_: str) -> None:
        self.state, expected = model.remove(self.state, id_)
        assert self.clocked.run(queue.remove(name="q", id=id_)) == expected

    @rule(start=st.integers(0, 2), count=st.sampled_from([1, 2]))
    def look(self, start: int, count: int) -> None:
        counts = self.clocked.run(queue.inspect(name="q"))
        listed = self.clocked.run(queue.list_dead(name="q", start=start, count=count))

        assert counts == model.inspect(self.state, self.now)
        assert listed == model.list_dead(self.state, start, count)

    @rule(step=st.sampled_from([1, LEASE, -1, -LEASE, -2 * LONGEST]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @invariant()
    def the_keys_hold_what_the_model_does_and_nothing_else(self) -> None:
        keys = queue.claim_keys(name="q")
        places: dict[str, Any] = {
            "due": self.client.zrange(keys.due, 0, -1),
            "in_flight": self.client.zrange(keys.inflight, 0, -1),
            "dead": self.client.zrange(keys.dead, 0, -1),
        }
        for status, found in places.items():
            expected = [job.id.encode() for job in model.of(self.state, status)]  # type: ignore[arg-type]
            assert found == expected
        assert self.client.zcard(keys.claims) == len(places["in_flight"])
        assert self.client.hlen(keys.jobs) == self.fields()

    def fields(self) -> int:
        """The format number, a payload for each job, and who claimed it last."""
        if not self.state:
            return self.client.exists(queue.claim_keys(name="q").jobs)
        return 1 + len(self.state) + sum(job.attempt > 0 for job in self.state)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=120, stateful_step_count=40, deadline=None),
    )
