"""The scripts of `breaker`: no calls to what fails, and one probe at a time."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any, Literal

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import breaker
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.breaker import model
from tests.cache.clock import Clocked
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

KEY = "breaker:{n}:circuit"
MINUTE = timedelta(minutes=1)
Outcome = Literal["success", "failure"]


def allow(owner: str = "a", hold: timedelta | int = MINUTE) -> Call[breaker.AllowReply]:
    return breaker.allow(name="n", owner=owner, hold=hold)


def report(
    outcome: Outcome = "failure",
    owner: str = "a",
    least: int = 1,
    percent: int = 50,
    opened: timedelta | int = MINUTE,
    window: timedelta | int = MINUTE,
) -> Call[breaker.ReportReply]:
    return breaker.report(
        name="n",
        owner=owner,
        outcome=outcome,
        window=window,
        least=least,
        percent=percent,
        open=opened,
        most=timedelta(hours=1),
    )


def open_for_a_moment(call: Any) -> None:
    """A circuit whose time is over, so that the next who asks probes it."""
    call(report(opened=1))
    time.sleep(0.005)


# --- opening --------------------------------------------------------------------------------


def test_it_opens_when_enough_of_enough_calls_have_failed(call: Any) -> None:
    outcomes: list[Outcome] = ["failure", "success", "success", "failure"]
    found = [call(report(one, least=4)) for one in outcomes]

    assert found[:3] == [
        breaker.ReportCounted(1, 1),
        breaker.ReportCounted(2, 1),
        breaker.ReportCounted(3, 1),
    ]
    assert found[3] == breaker.ReportOpened(MINUTE)
    reply = call(allow())
    assert isinstance(reply, breaker.AllowOpen)
    assert timedelta(0) < reply.retry_after <= MINUTE


def test_too_few_failures_leave_it_closed(call: Any) -> None:
    for number in range(20):
        call(report("failure" if number % 3 == 2 else "success", percent=50))

    assert call(allow()) == breaker.AllowClosed()


def test_who_began_before_it_opened_changes_nothing(call: Any, dataset: Any) -> None:
    call(report())
    before = dataset()

    for outcome in ("success", "failure"):
        assert isinstance(call(report(outcome, owner="late")), breaker.ReportOpen)
    assert dataset() == before


# --- the probe ------------------------------------------------------------------------------


def test_one_caller_probes_and_the_others_wait(call: Any) -> None:
    open_for_a_moment(call)

    assert call(allow("p")) == breaker.AllowProbe()
    assert call(allow("p")) == breaker.AllowProbe()
    assert isinstance(call(allow("q")), breaker.AllowOpen)


def test_a_probe_that_succeeds_closes_it_and_forgets(call: Any, client: Any) -> None:
    open_for_a_moment(call)
    call(allow("p"))

    assert call(report("success", "p")) == breaker.ReportClosed()
    assert not client.exists(KEY)
    assert call(report("failure", least=2)) == breaker.ReportCounted(1, 1)


def test_each_probe_that_fails_doubles_the_time(call: Any) -> None:
    waits = [call(report(opened=1)).retry_after]
    for number in range(4):
        time.sleep(waits[-1].total_seconds() + 0.005)
        assert call(allow(str(number))) == breaker.AllowProbe()
        waits.append(call(report("failure", str(number), opened=1)).retry_after)

    assert [wait / timedelta(milliseconds=1) for wait in waits] == [1, 2, 4, 8, 16]


def test_a_probe_that_died_is_given_to_another(call: Any) -> None:
    open_for_a_moment(call)
    call(allow("died", hold=1))
    time.sleep(0.005)

    assert call(allow("q")) == breaker.AllowProbe()
    assert isinstance(call(report("success", "died")), breaker.ReportOpen)


def test_of_fifty_who_ask_at_once_one_probes(client: redis.Redis) -> None:
    open_for_a_moment(lambda one: run(client, one))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: run(client, allow(str(number))), range(50)))

    assert found.count(breaker.AllowProbe()) == 1


def test_every_state_expires(call: Any, client: Any) -> None:
    call(report("success"))
    assert 0 < client.pttl(KEY) <= 60_000
    call(report("failure"))
    assert 86_400_000 < client.pttl(KEY) <= 86_460_000
    client.flushall()
    open_for_a_moment(call)
    call(allow())
    assert 0 < client.pttl(KEY) <= 86_400_001


def test_a_full_server_is_refused_before_anything_is_written(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, report("success"))
    before = dataset()
    make_full()

    for sample in (allow(), report()):
        with pytest.raises(OutOfMemory):
            run(client, sample)
    assert dataset() == before


def test_a_clock_that_was_set_back_keeps_nobody_out(client: redis.Redis) -> None:
    clocked = Clocked(client)
    clocked.run(report(opened=10_000))
    clocked.advance(-3_600_000)

    assert clocked.run(allow("p")) == breaker.AllowProbe()
    clocked.advance(-3_600_000)
    assert clocked.run(allow("q")) == breaker.AllowProbe()


# --- against the model ----------------------------------------------------------------------

owners = st.sampled_from(["a", "b\x00%d", "c" * 48])
TERMS = model.Settings()


def plain(reply: Any) -> tuple[Any, ...]:
    """The class of a reply and its fields, milliseconds for times."""
    fields = astuple(reply)
    unit = timedelta(milliseconds=1)
    return (type(reply), *(one / unit if isinstance(one, timedelta) else one for one in fields))


class Machine(RuleBasedStateMachine):
    """One circuit, under a clock that also goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.State()

    @rule(owner=owners, times=st.integers(1, 2))
    def allow(self, owner: str, times: int) -> None:
        for _ in range(times):
            self.state, expected = model.allow(self.state, self.clocked.now_ms, owner, 500)
            assert plain(self.clocked.run(allow(owner, 500))) == expected

    @rule(owner=owners, outcome=st.sampled_from(["success", "failure", "failure"]))
    def report(self, owner: str, outcome: Outcome) -> None:
        self.state, expected = model.report(
            self.state, self.clocked.now_ms, owner, TERMS, failed=outcome == "failure"
        )
        call = breaker.report(
            name="n",
            owner=owner,
            outcome=outcome,
            window=TERMS.window,
            least=TERMS.least,
            percent=TERMS.percent,
            open=TERMS.opened,
            most=TERMS.most,
        )
        assert plain(self.clocked.run(call)) == expected

    @rule(step=st.sampled_from([0, 1, 499, 500, 600, 1_000, 3_600_000, -1, -500, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        """Short of the expiries, which are the server's own: counts outlive their window."""
        self.clocked.advance(step)

    @invariant()
    def the_key_is_there_exactly_when_it_should_be_and_expires(self) -> None:
        if not self.client.exists(KEY) and not self.state.times:
            self.state = model.State()  # a window of a second may be over by the server's clock
        assert (self.client.pttl(KEY) > 0) == self.state.is_kept


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None),
    )


# --- callers that compete -------------------------------------------------------------------

LEAST = 4


def step(state: tuple[int, str | None], asked: Any, result: Any) -> Any:
    """Failures only, and a circuit that is open for no time: the count, or who probes it."""
    (verb, owner), (count, probe) = asked, state
    is_open = count >= LEAST
    if verb == "allow":
        if not is_open:
            return state if isinstance(result, breaker.AllowClosed) else REFUSED
        if probe in (None, owner):
            after = (count, owner)
            return after if isinstance(result, breaker.AllowProbe) else REFUSED
        return state if isinstance(result, breaker.AllowOpen) else REFUSED
    if not is_open:
        expected = breaker.ReportCounted if count + 1 < LEAST else breaker.ReportOpened
        return (count + 1, None) if isinstance(result, expected) else REFUSED
    if probe == owner:
        return (0, None) if isinstance(result, breaker.ReportClosed) else REFUSED
    return state if isinstance(result, breaker.ReportOpen) else REFUSED


CIRCUIT = Model((0, None), step)
AT_ONCE = b"local left_ms = left_of(until_ms, opened_ms)"


def changed(call: Call[Any], old: bytes, new: bytes) -> Call[Any]:
    source = call.script.source.replace(old, new)
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    """Who asks and may, reports: a probe success, the others failure."""
    client.flushall()
    history, chance = History(), random.Random(seed)

    def worker(name: str) -> Steps:
        for turn in range(20):
            owner = f"{name}.{turn}"
            ask = change(changed(allow(owner), AT_ONCE, b"local left_ms = 0"))
            (reply,) = yield Step((("allow", owner),), Attempt((ask,)))
            is_probe = isinstance(reply, breaker.AllowProbe)
            if isinstance(reply, breaker.AllowOpen) and chance.random() < 0.7:
                continue
            told = report("success" if is_probe else "failure", owner, least=LEAST)
            yield Step((("report", owner),), Attempt((told,)))

    in_threads(client, [history.watch(worker(f"w{number}")) for number in range(4)])
    return history


def without_owner(call: Call[Any]) -> Call[Any]:
    """A circuit that lets everybody probe."""
    return changed(call, b"stored[4] and stored[4] ~= owner", b"false")


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    probes = 0
    for seed in range(6):
        history = record(client, seed)
        verdict = check(CIRCUIT, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        probes += sum(isinstance(one.result, breaker.AllowProbe) for one in history.operations)
    assert probes > 3


def test_a_circuit_that_lets_everybody_probe_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, without_owner).operations for seed in range(20))

    assert not all(check(CIRCUIT, history).linearizable for history in histories)
