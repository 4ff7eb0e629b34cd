"""Every sequence of outcomes of up to five sends, against a model of what the server did."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import pytest
from redis.exceptions import BusyLoadingError, NoPermissionError, NoScriptError, ResponseError

from redislua.errors import (
    NotExecuted,
    OutcomeUnknown,
    RedisLuaError,
    ScriptError,
    ScriptNotDeployed,
)
from redislua.runtime import RetryClass
from redislua.runtime.plan import single
from redislua.runtime.steps import Lost, NotSent, Pause, Send
from tests.runtime.samples import incr

Outcome = Literal["reply", "error", "noscript", "loading", "noperm", "not_sent", "lost"]
OUTCOMES: Sequence[Outcome] = (
    "reply",
    "error",
    "noscript",
    "loading",
    "noperm",
    "not_sent",
    "lost",
)
SENDS = 5

ANSWERS: dict[Outcome, Any] = {
    "reply": 1,
    "error": ResponseError("RLUA_BAD_STATE text"),
    "noscript": NoScriptError("No matching script."),
    "loading": BusyLoadingError("loading", status_code="LOADING"),
    "noperm": NoPermissionError("no permissions"),
}
GAVE_UP = "the sequence ended before the call did"


def play(retry: RetryClass, outcomes: Sequence[Outcome]) -> tuple[list[Outcome], Any]:
    """Play outcomes against a plan; return those that were used and what the call came to."""
    plan = single(incr(retry), jitter=lambda: 0.0)
    used: list[Outcome] = []
    step: Any = next(plan)
    try:
        for outcome in outcomes:
            while isinstance(step, Pause):
                step = plan.send(())
            assert isinstance(step, Send)
            used.append(outcome)
            if outcome in ("not_sent", "lost"):
                failure = NotSent if outcome == "not_sent" else Lost
                step = plan.throw(failure(ConnectionError(outcome)))
            else:
                loads = [NoPermissionError("load")] * (len(step.commands) - 1)
                step = plan.send([*loads, ANSWERS[outcome]])
    except StopIteration as done:
        return used, done.value
    except RedisLuaError as error:
        return used, error
    return used, GAVE_UP


def expected(retry: RetryClass, outcomes: Sequence[Outcome]) -> tuple[int, Any]:
    """The rules of a call, said once more without pauses, forms or generators."""
    losses = missing = 0
    for count, outcome in enumerate(outcomes, start=1):
        unknown_if_lost = OutcomeUnknown if losses else None
        if outcome == "reply":
            return count, 1
        if outcome == "error":
            return count, ScriptError
        if outcome == "lost":
            losses += 1
            if retry == "never" or losses == 3:
                return count, OutcomeUnknown
        if outcome == "noscript":
            missing += 1
            if missing == 3:
                return count, unknown_if_lost or ScriptNotDeployed
        if outcome == "noperm":
            return count, unknown_if_lost or NotExecuted
    return len(outcomes), GAVE_UP


@pytest.mark.parametrize("retry", ["safe", "conservative", "never"])
def test_every_sequence_of_outcomes_ends_as_the_rules_say(retry: RetryClass) -> None:
    for outcomes in product(OUTCOMES, repeat=SENDS):
        used, end = play(retry, outcomes)
        count, wanted = expected(retry, outcomes)

        assert len(used) == count, outcomes
        if isinstance(wanted, type):
            assert isinstance(end, wanted), (outcomes, end)
        else:
            assert end == wanted, (outcomes, end)


def test_never_is_not_sent_again_after_a_possible_delivery() -> None:
    for outcomes in product(OUTCOMES, repeat=SENDS):
        used, end = play("never", outcomes)

        assert "lost" not in used[:-1], outcomes
        assert (used[-1] == "lost") == isinstance(end, OutcomeUnknown), outcomes


@pytest.mark.parametrize("retry", ["safe", "conservative"])
def test_at_most_three_sends_may_have_been_executed(retry: RetryClass) -> None:
    for outcomes in product(OUTCOMES, repeat=SENDS):
        used, end = play(retry, outcomes)

        assert used.count("lost") <= 3, outcomes
        if isinstance(end, OutcomeUnknown):
            assert "lost" in used, outcomes
        if isinstance(end, NotExecuted):
            assert "lost" not in used, outcomes
