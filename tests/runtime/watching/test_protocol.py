"""Who is told of a call, what of it, and that telling never harms the call."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from redislua.errors import (
    BudgetExceeded,
    CrossSlot,
    NotExecuted,
    OutcomeUnknown,
    ScriptError,
    ScriptFault,
    UnexpectedReplyError,
)
from redislua.runtime import Call
from redislua.runtime.watching import Ended, Gate, Observers, Outcome, outcome_of, tell
from tests.runtime.samples import BadStateError, call, incr
from tests.runtime.watching.watched import ended, watched


class Notes:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Ended] = []

    def on_call(self, ended: Ended, /) -> None:
        self.told.append(ended)


class Broken:
    """Fails at every call."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_call(self, _: Ended, /) -> None:
        raise self.error


class Closed(Notes):
    """Turns every call away."""

    def admit(self, call: Call[Any], /) -> None:
        raise BudgetExceeded("closed", script=str(call.script))


ABOUT: dict[str, Any] = {"script": "sample.script@1.2.3"}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "replied"),
        (NotExecuted("", **ABOUT), "not_executed"),
        (CrossSlot("", **ABOUT), "not_executed"),
        (BudgetExceeded("", **ABOUT), "not_executed"),
        (OutcomeUnknown("", **ABOUT), "unknown"),
        (ScriptError("", **ABOUT), "failed"),
        (ScriptFault("", **ABOUT, keys=(), code=None, file="", line=None), "failed"),
        (UnexpectedReplyError("sample.script", None), "failed"),
        (asyncio.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (RuntimeError("Event loop is closed"), "cancelled"),
    ],
)
def test_every_end_of_a_call_has_one_outcome(error: BaseException | None, outcome: Outcome) -> None:
    assert outcome_of(error) == outcome


def test_an_observer_that_fails_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    observer = Broken(ZeroDivisionError("observer's own"))

    tell(observer, ended(1))

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("redislua", logging.ERROR)
    assert "sample.script@1.2.3" in record.getMessage()
    assert "ZeroDivisionError: observer's own" in caplog.text
    assert "test_protocol.py" in caplog.text  # the traceback


def test_an_observer_that_fails_costs_the_caller_no_reply(client: Any) -> None:
    assert watched(client, Broken(ValueError("broken")), incr()) == 1
    assert watched(client, Broken(ValueError("broken")), incr()) == 2


def test_an_observer_that_fails_hides_no_error(client: Any) -> None:
    with pytest.raises(BadStateError):
        watched(client, Broken(ValueError("broken")), call("return {err='RLUA_BAD_STATE x'}"))


def test_ctrl_c_while_an_observer_is_told_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        tell(Broken(KeyboardInterrupt()), ended(1))


def test_several_observers_are_told_in_order_whatever_the_others_raise() -> None:
    first, last = Notes(), Notes()
    end = ended(1)

    Observers(first, Broken(ValueError("broken")), last).on_call(end)

    assert first.told == last.told == [end]


def test_any_gate_among_several_observers_turns_a_call_away(client: Any) -> None:
    notes = Notes()
    several = Observers(notes, Observers(Closed()))

    with pytest.raises(BudgetExceeded) as raised:
        watched(client, several, incr())

    assert client.exists("{sample}") == 0
    assert [(one.outcome, one.error) for one in notes.told] == [("not_executed", raised.value)]


def test_observers_without_a_gate_turn_nothing_away(client: Any) -> None:
    assert isinstance(Closed(), Gate)
    assert not isinstance(Notes(), Gate)
    assert watched(client, Observers(Notes(), Notes()), incr()) == 1
