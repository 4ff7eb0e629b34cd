"""`CircuitBreaker` and `AsyncCircuitBreaker`: no calls to what fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgument
from redislua.patterns._circuit_breaker import BreakerPlans
from redislua.patterns.circuit_breaker import AsyncCircuitBreaker, CircuitBreaker, CircuitOpen
from tests.patterns.stage import Stage

ms = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)


class Down(Exception):
    """What the other side raises."""


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(trust=…)`` is a circuit of the surface's kind, as one process has it."""

    def made(**options: Any) -> Any:
        terms = {"least": 2, "open": MINUTE, "failures": (Down,)} | options
        return stage.make(CircuitBreaker, AsyncCircuitBreaker, "mail", **terms)

    return made


def guarded(stage: Stage, breaker: Any, outcome: BaseException | None = None) -> Any:
    """One call of what may be failing."""

    def work(_: Any) -> str:
        if outcome is not None:
            raise outcome
        return "sent"

    return stage.call(stage.within(breaker.guarded(), work))


def fail(stage: Stage, breaker: Any, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Down):
            guarded(stage, breaker, Down())


def test_failures_of_all_processes_open_it_for_all(stage: Stage, make: Any) -> None:
    here, there = make(trust=0 * ms), make(trust=0 * ms)

    fail(stage, here, 1)
    fail(stage, there, 1)

    for breaker in (here, there, make()):
        with pytest.raises(CircuitOpen) as caught:
            guarded(stage, breaker)
        assert caught.value.name == "mail"
        assert timedelta(seconds=50) < caught.value.retry_after <= MINUTE


def test_what_is_raised_and_is_no_failure_leaves_it_closed(stage: Stage, make: Any) -> None:
    breaker = make()
    for _ in range(4):
        with pytest.raises(ValueError, match="text"):
            guarded(stage, breaker, ValueError("text"))

    assert guarded(stage, breaker) == "sent"


def test_one_probe_that_goes_well_closes_it(stage: Stage, make: Any) -> None:
    breaker = make(open=50 * ms, trust=0 * ms)
    fail(stage, breaker, 2)
    stage.call(lambda: stage.pause(0.1))
    entered: list[int] = []

    def slow(_: Any) -> Any:
        entered.append(1)
        return stage.pause(0.3)

    found = stage.together(*[stage.within(breaker.guarded(), slow) for _ in range(8)])

    assert len(entered) == 1
    assert sum(isinstance(one, CircuitOpen) for one in found) == 7
    assert guarded(stage, breaker) == "sent"


def test_a_probe_that_fails_opens_it_for_longer(stage: Stage, make: Any) -> None:
    breaker = make(open=50 * ms, most=MINUTE)
    fail(stage, breaker, 2)
    stage.call(lambda: stage.pause(0.1))

    fail(stage, breaker, 1)

    with pytest.raises(CircuitOpen) as caught:
        guarded(stage, breaker)
    assert 50 * ms < caught.value.retry_after <= 100 * ms


def test_while_all_goes_well_a_call_costs_one_round_trip_and_none_when_open(
    stage: Stage, make: Any, client: Any
) -> None:
    """A process goes by what it heard last."""

    def calls() -> int:
        nodes = client.primaries() if hasattr(client, "primaries") else [client]
        found = (node.info("commandstats").get("cmdstat_evalsha", {}) for node in nodes)
        return sum(int(one.get("calls", 0)) for one in found)

    breaker = make(trust=MINUTE, least=1_000)
    guarded(stage, breaker)
    before = calls()
    for _ in range(5):
        guarded(stage, breaker)
    assert calls() - before == 5

    breaker = make(trust=MINUTE)
    fail(stage, breaker, 6)  # more calls than failures are needed, by now
    before = calls()
    for _ in range(5):
        with pytest.raises(CircuitOpen):
            guarded(stage, breaker)
    assert calls() == before


def test_functions_are_guarded(stage: Stage, make: Any) -> None:
    breaker = make(least=3)

    def plain(text: str) -> str:
        if text == "bad":
            raise Down(text)
        return text

    async def coroutine(text: str) -> str:
        return plain(text)

    send = breaker.guards(coroutine if stage.is_async else plain)

    assert send.__name__ == ("coroutine" if stage.is_async else "plain")
    assert stage.call(lambda: send("good")) == "good"
    for _ in range(2):
        with pytest.raises(Down):
            stage.call(lambda: send("bad"))
    with pytest.raises(CircuitOpen):
        stage.call(lambda: send("good"))


def test_an_interrupted_call_is_no_failure(stage: Stage, make: Any) -> None:
    breaker = make(failures=(Exception,), least=1)
    kind = asyncio.CancelledError if stage.is_async else KeyboardInterrupt

    plans: BreakerPlans = breaker._plans
    owner = stage.run(plans.enter())
    stage.run(plans.leave(owner, kind()))

    assert guarded(stage, breaker) == "sent"


@pytest.mark.client_side
@pytest.mark.single_server("a client of a cluster asks its nodes when it is made")
def test_without_a_server_calls_are_made_unless_the_application_says_otherwise(
    stage: Stage,
) -> None:
    nobody = type(stage.client)(host="127.0.0.1", port=1)
    kind = AsyncCircuitBreaker if stage.is_async else CircuitBreaker

    assert guarded(stage, kind(nobody, "mail", deadline=0.2)) == "sent"
    with pytest.raises(CallError):
        guarded(stage, kind(nobody, "mail", outage="raise", deadline=0.2))
    stage.call(lambda: nobody.aclose() if stage.is_async else nobody.close())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"window": ms}, "window"),
        ({"least": 0}, "least"),
        ({"percent": 101}, "percent"),
        ({"open": MINUTE, "most": ms}, "most"),
        ({"trust": -ms}, "trust"),
        ({"outage": "deny"}, "outage"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgument, match=named):
        make(**options)
