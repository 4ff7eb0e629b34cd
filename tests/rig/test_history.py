"""What is written down of an outcome. The test plays the driver: no socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from redislua.errors import NotExecuted, OutcomeUnknown, ScriptFault, ScriptNotDeployed
from tests.rig.crowd import Attempt
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import Operation
from tests.runtime.samples import incr

CALL = incr()
LOST = OutcomeUnknown("lost", script="s")
REFUSED = NotExecuted("refused", script="s")
ABOUT: dict[str, Any] = {"script": "s", "keys": ()}


def one_step(*asked: str, atomic: bool = False) -> Steps:
    """A worker that asks once."""
    yield Step(asked, Attempt((CALL,) * 2, atomic))


def told(steps: Steps, *outcomes: object) -> History:
    """The history of a worker that is told these outcomes."""
    history = History()
    worker = history.watch(steps)
    next(worker)
    with pytest.raises(StopIteration):
        worker.send(outcomes)
    return history


def test_each_call_of_a_batch_is_an_operation_of_the_same_interval() -> None:
    history = told(one_step("a", "b"), 1, 2)

    assert history.operations == [Operation("a", 0, 1, 1), Operation("b", 0, 1, 2)]


@pytest.mark.parametrize("outcome", [LOST, asyncio.CancelledError()], ids=["lost", "cancelled"])
def test_a_call_without_an_answer_has_no_end(outcome: BaseException) -> None:
    history = told(one_step("a", "b"), outcome, 2)

    assert history.operations == [Operation("a", 0), Operation("b", 0, 1, 2)]
    assert history.outcomes == {"unknown": 1, "replied": 1}


def test_a_call_that_is_said_not_to_have_run_is_left_out() -> None:
    history = told(one_step("a", "b"), REFUSED, 2)

    assert history.operations == [Operation("b", 0, 1, 2)]
    assert history.outcomes == {"not executed": 1, "replied": 1}


def test_a_transaction_is_one_operation() -> None:
    assert told(one_step("a", atomic=True), 1, 2).operations == [Operation("a", 0, 1, (1, 2))]
    assert told(one_step("a", atomic=True), LOST, LOST).operations == [Operation("a", 0)]


@pytest.mark.parametrize("outcomes", [(1, LOST), (LOST, REFUSED)])
def test_a_transaction_that_ends_in_several_ways_is_an_error(outcomes: Any) -> None:
    with pytest.raises(AssertionError, match="in several ways"):
        told(one_step("a", atomic=True), *outcomes)


@pytest.mark.parametrize(
    "error",
    [
        ScriptNotDeployed("NOSCRIPT", **ABOUT, sha1="0"),
        ScriptFault("failed", **ABOUT, code=None, file="f", line=1),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_no_workload_expects_ends_the_test(error: Exception) -> None:
    with pytest.raises(type(error)):
        told(one_step("a", "b"), 1, error)
