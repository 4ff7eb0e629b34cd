"""The scripts of `backoff`: who fails waits, longer each time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import backoff
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.backoff import model
from tests.cache.clock import Clocked
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model
from tests.rig.linearizability import check as search

KEY = "backoff:{k}:failures"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def fail(
    token: str | None = None,
    base: timedelta | int = MINUTE,
    most: timedelta | int = 8 * MINUTE,
    free: int = 0,
    forget: timedelta | int = MINUTE,
    mode: Literal["count", "attempt"] = "count",
) -> Call[backoff.FailReply]:
    return backoff.fail(
        key="k", base=base, most=most, free=free, forget=forget, mode=mode, token=token
    )


CHECK = backoff.check(key="k")
OK = backoff.ok(key="k")


# --- waiting --------------------------------------------------------------------------------


def test_each_failure_doubles_the_wait_up_to_the_longest(call: Any) -> None:
    waits = [call(fail()).retry_after / MINUTE for _ in range(6)]

    assert waits == [1, 2, 4, 8, 8, 8]


def test_the_longest_wait_stays_after_thousands_of_failures(call: Any, client: Any) -> None:
    client.set(KEY, b"9007199254740989:1700000000000:1700000000000:t", px=60_000)

    assert call(fail()) == backoff.FailLocked(9_007_199_254_740_990, 8 * MINUTE)


def test_no_failure_makes_a_lock_shorter(call: Any) -> None:
    """Also where two deployments differ in their terms."""
    call(fail(base=HOUR, most=HOUR))

    assert call(fail(base=1, most=1)).retry_after > HOUR - MINUTE
    assert call(fail(base=1, most=1, free=10)).retry_after > HOUR - MINUTE


def test_a_clock_that_was_set_back_keeps_nobody_out(client: redis.Redis) -> None:
    clocked = Clocked(client)
    clocked.run(fail())
    clocked.advance(-3_600_000)

    assert clocked.run(CHECK) == backoff.CheckFree(1)
    assert clocked.run(fail(mode="attempt")) == backoff.FailLocked(2, 2 * MINUTE)


def test_the_first_failures_are_free(call: Any) -> None:
    found = [call(fail(free=2)) for _ in range(3)]

    assert found == [backoff.FailFree(1, 1), backoff.FailFree(2, 0), backoff.FailLocked(3, MINUTE)]


def test_success_forgets_and_can_be_told_twice(call: Any, client: Any) -> None:
    call(fail())
    call(fail())

    assert call(OK) == backoff.OkOk(2)
    assert call(OK) == backoff.OkOk(0)
    assert call(CHECK) == backoff.CheckFree(0)
    assert not client.exists(KEY)


def test_a_failure_sent_again_counts_once(call: Any) -> None:
    mine = fail()
    call(mine)

    again = call(mine)
    assert again.fails == 1
    assert again.retry_after <= MINUTE
    assert call(fail()).fails == 2


def test_looking_counts_nothing(call: Any, dataset: Any) -> None:
    call(fail())
    before = dataset()

    reply = call(CHECK)

    assert reply.fails == 1
    assert timedelta(0) < reply.retry_after <= MINUTE
    assert dataset() == before


def test_a_wait_ends_and_the_failures_are_forgotten_later(call: Any, client: Any) -> None:
    call(fail(base=1, most=1))
    time.sleep(0.01)

    assert call(CHECK) == backoff.CheckFree(1)
    assert 0 < client.pttl(KEY) <= 60_001


def test_guesses_at_the_same_moment_are_counted_one_by_one(client: redis.Redis) -> None:
    """Of fifty that are counted first three are free, and one more goes on."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: run(client, fail(free=3, mode="attempt")), range(50)))

    let_on = [one.fails for one in found if not isinstance(one, backoff.FailRefused)]
    assert sorted(let_on) == [1, 2, 3, 4]
    assert sum(isinstance(one, backoff.FailRefused) for one in found) == 46


def test_an_attempt_that_is_refused_changes_nothing(call: Any, dataset: Any) -> None:
    mine = fail(mode="attempt")
    call(mine)
    before = dataset()

    reply = call(fail(mode="attempt"))

    assert isinstance(reply, backoff.FailRefused)
    assert reply.fails == 1
    assert dataset() == before
    assert isinstance(call(mine), backoff.FailLocked)  # sent again: it may go on


# --- what may not be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", [b"", b"1", b"x:1:1:t", b"1:1:1:", b"0:1:1:t", b"99999999999999999:1:1:t"]
)
def test_a_state_that_is_not_ours_is_left_alone(
    client: redis.Redis, dataset: Callable[[], Any], state: bytes
) -> None:
    client.set(KEY, state, px=60_000)
    before = dataset()

    for sample in (fail(), CHECK, OK):
        with pytest.raises(backoff.BadStateError):
            run(client, sample)
        assert dataset() == before


def test_a_full_server_forgets_failures_and_counts_none(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, fail())
    make_full()
    before = dataset()

    with pytest.raises(OutOfMemory):
        run(client, fail())
    assert dataset() == before
    assert isinstance(run(client, CHECK), backoff.CheckLocked)
    assert run(client, OK) == backoff.OkOk(1)


# --- against the model ----------------------------------------------------------------------

tokens = st.sampled_from(["a", "b:\x00%d", "c" * 32])
times = st.integers(1, 2)


def ms(reply: Any) -> tuple[int, float]:
    return reply.fails, getattr(reply, "retry_after", timedelta(0)) / timedelta(milliseconds=1)


class Machine(RuleBasedStateMachine):
    """One subject, under a clock that also goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.State()

    @rule(
        base=st.sampled_from([1, 1_000]),
        most=st.sampled_from([1_000, 7_000]),
        free=st.integers(0, 2),
        mode=st.sampled_from(["count", "attempt"]),
        token=tokens,
        times=times,
    )
    def fail(self, base: int, most: int, free: int, mode: Any, token: str, times: int) -> None:
        for _ in range(times):
            now, is_attempt, before = self.clocked.now_ms, mode == "attempt", self.state
            self.state, expected = model.fail(
                before, now, base, most, free, token, is_attempt=is_attempt
            )
            reply = self.clocked.run(fail(token, base, most, free, 86_400_000, mode))
            assert ms(reply) == expected
            if isinstance(reply, backoff.FailRefused):
                assert self.state is before
                assert before.token != token
            if isinstance(reply, backoff.FailFree):
                assert reply.left == max(free - reply.fails, 0)

    @rule()
    def check(self) -> None:
        assert ms(self.clocked.run(CHECK)) == model.check(self.state, self.clocked.now_ms)

    @rule()
    def ok(self) -> None:
        assert self.clocked.run(OK).fails == self.state.fails
        self.state = model.State()

    @rule(step=st.sampled_from([0, 1, 999, 1_000, 3_600_000, -1, -500, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @invariant()
    def the_key_is_there_exactly_when_it_should_be_and_expires(self) -> None:
        assert (self.client.pttl(KEY) > 0) == (self.state.fails > 0)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=50, stateful_step_count=25, deadline=None),
    )


# --- callers that compete -------------------------------------------------------------------


def step(fails: int, asked: str, result: Any) -> Any:
    after = {"fail": fails + 1, "ok": 0, "check": fails}[asked]
    return after if result.fails == (fails + 1 if asked == "fail" else fails) else REFUSED


FAILURES = Model(0, step, observes=lambda asked, _: asked == "check")


def record(client: redis.Redis, seed: int, of: Callable[[str], Call[Any]]) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)

    def worker() -> Steps:
        for _ in range(25):
            verb = chance.choice(["fail", "fail", "check", "ok"])
            yield Step((verb,), Attempt((of(verb),)))

    in_threads(client, [history.watch(worker()) for _ in range(4)])
    return history


def honest(verb: str) -> Call[Any]:
    return {"fail": fail(), "ok": OK, "check": CHECK}[verb]


def always_the_same(verb: str) -> Call[Any]:
    """Failures that all have one token count once."""
    return fail("same") if verb == "fail" else honest(verb)


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        verdict = search(FAILURES, record(client, seed, honest).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


def test_failures_that_are_taken_for_one_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, always_the_same).operations for seed in range(20))

    assert not all(search(FAILURES, history).linearizable for history in histories)
