"""The tests play the server: no socket, no mock, no event loop."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    ResponseError,
)

from redislua.errors import (
    AccessDenied,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    ScriptFault,
    ScriptNotDeployed,
    ServerLoading,
    ServerUnreachable,
    UnexpectedReplyError,
)
from redislua.runtime import Call
from redislua.runtime.plan import ends, load, single
from redislua.runtime.route import Route
from redislua.runtime.steps import Lost, NotSent, Pause, Plan, Send
from tests.runtime.samples import BadStateError, call, incr, script

CALL = incr("safe")
SHA1, SOURCE = CALL.script.sha1, CALL.script.source
OPERANDS = (1, b"{sample}", b"")
EVALSHA = ("EVALSHA", SHA1, *OPERANDS)
SCRIPT_LOAD = ("SCRIPT", "LOAD", SOURCE)
EVAL = ("EVAL", SOURCE, *OPERANDS)

NOSCRIPT = NoScriptError("No matching script.", status_code="NOSCRIPT")
NOPERM = NoPermissionError("User u has no permissions to run …", status_code="NOPERM")
LOADING = BusyLoadingError("Redis is loading the dataset in memory", status_code="LOADING")
REFUSED = ConnectionError("Error 111 connecting to 127.0.0.1:1. Connection refused.")
CLOSED = ConnectionError("Connection closed by server.")


def finish(plan: Plan[Any], *replies: Any) -> Any:
    """Send the last replies; return what the plan returns."""
    with pytest.raises(StopIteration) as done:
        plan.send(replies)
    return done.value.value


def test_a_known_script_takes_one_send() -> None:
    plan = single(CALL)

    assert next(plan) == Send(EVALSHA)
    assert finish(plan, 7) == 7


def test_noscript_is_healed_by_one_more_write() -> None:
    plan = single(CALL)

    assert next(plan) == Send(EVALSHA)
    assert plan.send([NOSCRIPT]) == Send(SCRIPT_LOAD, EVALSHA)
    assert finish(plan, SHA1.encode(), 7) == 7


@pytest.mark.parametrize("load_reply", [SHA1.encode(), NOPERM], ids=["flushed", "not-permitted"])
def test_noscript_again_falls_to_eval(load_reply: Any) -> None:
    plan = single(CALL)
    next(plan)
    plan.send([NOSCRIPT])

    assert plan.send([load_reply, NOSCRIPT]) == Send(EVAL)
    assert finish(plan, 7) == 7


@pytest.mark.parametrize("last", [NOPERM, NOSCRIPT, ResponseError("unknown command 'EVAL'")])
def test_a_script_that_can_be_neither_loaded_nor_sent_is_not_deployed(last: Exception) -> None:
    plan = single(CALL)
    next(plan)
    plan.send([NOSCRIPT])
    plan.send([NOPERM, NOSCRIPT])

    with pytest.raises(ScriptNotDeployed) as raised:
        plan.send([last])
    assert raised.value.sha1 == SHA1
    assert raised.value.__cause__ is last


def test_noscript_wrapped_in_err_by_a_provider_is_noscript() -> None:
    plan = single(CALL)
    next(plan)

    wrapped = ResponseError("NOSCRIPT No matching script.", status_code="ERR")
    assert plan.send([wrapped]) == Send(SCRIPT_LOAD, EVALSHA)


def test_read_only_calls_use_the_commands_that_replicas_take() -> None:
    plan = single(CALL, route=Route(reads=True))

    assert next(plan) == Send(("EVALSHA_RO", *EVALSHA[1:]))
    assert plan.send([NOSCRIPT]) == Send(SCRIPT_LOAD, ("EVALSHA_RO", *EVALSHA[1:]))
    assert plan.send([NOPERM, NOSCRIPT]) == Send(("EVAL_RO", *EVAL[1:]))


def test_a_lost_reply_of_never_is_unknown_at_once() -> None:
    plan = single(incr("never"))
    next(plan)

    with pytest.raises(OutcomeUnknown) as raised:
        plan.throw(Lost(CLOSED))
    assert raised.value.__cause__ is CLOSED
    assert raised.value.keys == (b"{sample}",)
    assert raised.value.script == "sample.script@1.2.3"


@pytest.mark.parametrize("retry", ["safe", "conservative"])
@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 0.010), (0.5, 0.105), (1.0, 0.200)])
def test_a_lost_reply_is_resent_twice_after_a_drawn_pause(
    retry: Any, drawn: float, seconds: float
) -> None:
    plan = single(incr(retry), jitter=lambda: drawn)
    first = next(plan)

    for _ in range(2):
        pause = plan.throw(Lost(CLOSED))
        assert isinstance(pause, Pause)
        assert pause.seconds == pytest.approx(seconds)
        assert plan.send(()) == first
    with pytest.raises(OutcomeUnknown, match="sent 3 times"):
        plan.throw(Lost(CLOSED))


def test_a_resend_goes_out_in_the_form_that_was_lost() -> None:
    plan = single(CALL)
    next(plan)
    heal = plan.send([NOSCRIPT])
    plan.throw(Lost(CLOSED))

    assert plan.send(()) == heal


def test_a_resend_that_would_start_after_the_deadline_is_not_waited_for() -> None:
    plan = single(CALL, until=10.0, clock=lambda: 9.90, jitter=lambda: 0.5)
    next(plan)

    with pytest.raises(OutcomeUnknown):
        plan.throw(Lost(CLOSED))


@pytest.mark.parametrize(("now", "goes_on"), [(9.94, True), (9.96, False)])
def test_a_refused_call_is_not_sent_again_without_time_for_the_reply(
    now: float, goes_on: bool
) -> None:
    plan = single(incr("never"), until=10.0, clock=lambda: now, jitter=lambda: 0.0)
    next(plan)

    if goes_on:
        assert plan.send([LOADING]) == Pause(0.0)
    else:
        with pytest.raises(ServerLoading):
            plan.send([LOADING])


@pytest.mark.parametrize("retry", ["safe", "never"])
def test_what_was_not_sent_is_tried_again_until_the_deadline(retry: Any) -> None:
    now = [0.0]
    plan = single(incr(retry), until=1.0, clock=lambda: now[0], jitter=lambda: 1.0)
    first = next(plan)

    for seconds in (0.020, 0.040, 0.080, 0.160, 0.200, 0.200, 0.200):
        pause = plan.throw(NotSent(REFUSED))
        assert isinstance(pause, Pause)
        assert pause.seconds == pytest.approx(seconds)
        now[0] += pause.seconds
        assert plan.send(()) == first
    with pytest.raises(ServerUnreachable, match="Connection refused") as raised:
        plan.throw(NotSent(REFUSED))
    assert raised.value.__cause__ is REFUSED


def test_a_transient_refusal_is_tried_again() -> None:
    plan = single(incr("never"))
    first = next(plan)

    assert isinstance(plan.send([LOADING]), Pause)
    assert plan.send(()) == first
    assert finish(plan, 1) == 1


def test_a_transient_refusal_is_raised_at_the_deadline() -> None:
    plan = single(incr("never"), until=0.0, clock=lambda: 0.0)
    next(plan)

    with pytest.raises(ServerLoading) as raised:
        plan.send([LOADING])
    assert raised.value.code == "LOADING"


def test_a_lasting_refusal_is_raised_at_once() -> None:
    plan = single(CALL)
    next(plan)

    with pytest.raises(AccessDenied):
        plan.send([NOPERM])


def test_a_wrong_password_while_connecting_is_raised_at_once() -> None:
    plan = single(CALL)
    next(plan)

    with pytest.raises(AccessDenied) as raised:
        plan.throw(NotSent(AuthenticationError("invalid password", status_code="WRONGPASS")))
    assert raised.value.code == "WRONGPASS"


@pytest.mark.parametrize(
    "after", [NotSent(REFUSED), [LOADING], [NOPERM]], ids=["not-sent", "transient", "lasting"]
)
def test_a_refused_resend_does_not_prove_that_the_lost_send_was_not_executed(after: Any) -> None:
    now = [0.0]
    plan = single(CALL, until=1.0, clock=lambda: now[0])
    next(plan)
    plan.throw(Lost(CLOSED))
    plan.send(())
    now[0] = 1.0

    answer = plan.throw if isinstance(after, NotSent) else plan.send
    with pytest.raises(OutcomeUnknown) as raised:
        answer(after)
    assert raised.value.__cause__ is CLOSED


def test_a_script_that_cannot_be_deployed_any_more_leaves_a_lost_call_unknown() -> None:
    plan = single(CALL)
    next(plan)
    plan.throw(Lost(CLOSED))
    plan.send(())
    plan.send([NOSCRIPT])
    plan.send([NOPERM, NOSCRIPT])

    with pytest.raises(OutcomeUnknown, match="no permissions"):
        plan.send([NOPERM])


def test_a_declared_error_on_a_resend_is_the_scripts_answer() -> None:
    plan = single(CALL)
    next(plan)
    plan.throw(Lost(CLOSED))
    plan.send(())

    with pytest.raises(BadStateError):
        plan.send([ResponseError("RLUA_BAD_STATE The entry is strange.")])


def test_an_undeclared_error_is_a_fault_and_not_tried_again() -> None:
    plan = single(CALL)
    next(plan)

    with pytest.raises(ScriptFault):
        plan.send([ResponseError("something is wrong", status_code="ERR")])


@pytest.mark.parametrize(
    "decode",
    [int, lambda reply: timedelta(milliseconds=int(reply) * 10**30)],
    ids=["value", "range"],
)
def test_a_reply_that_does_not_decode_is_undeclared(decode: Any) -> None:
    plan = single(Call(CALL.script, CALL.keys, CALL.args, decode))
    next(plan)

    with pytest.raises(UnexpectedReplyError) as raised:
        plan.send([b"9" if decode is not int else b"nine"])
    assert raised.value.script == "sample.script@1.2.3"
    assert raised.value.keys == (b"{sample}",)
    assert isinstance(raised.value.__cause__, ValueError | OverflowError)


def test_a_reply_that_the_decoder_refuses_is_reported_with_the_keys() -> None:
    def refuse(reply: Any) -> int:
        raise UnexpectedReplyError(str(CALL.script), reply)

    plan = single(Call(CALL.script, CALL.keys, CALL.args, refuse))
    next(plan)

    with pytest.raises(UnexpectedReplyError) as raised:
        plan.send([b"nine"])
    assert raised.value.keys == CALL.keys


def test_load_sends_every_script_in_one_write() -> None:
    scripts = [script("return 1"), script("return 2")]
    plan = load(scripts)

    assert next(plan) == Send(*(("SCRIPT", "LOAD", one.source) for one in scripts))
    assert finish(plan, *(one.sha1.encode() for one in scripts)) == [one.sha1 for one in scripts]


def test_load_of_nothing_sends_nothing() -> None:
    with pytest.raises(StopIteration) as done:
        next(load([]))
    assert done.value.value == []


def test_load_names_the_script_that_was_refused() -> None:
    bad = call("return 2").script
    plan = load([script("return 1"), bad])
    next(plan)

    with pytest.raises(AccessDenied) as raised:
        plan.send([script("return 1").sha1.encode(), NOPERM])
    assert raised.value.script == str(bad)


def test_load_is_repeated_after_a_lost_reply_whatever_the_scripts_say() -> None:
    plan = load([script("return 1", retry="never")])
    first = next(plan)

    assert isinstance(plan.throw(Lost(CLOSED)), Pause)
    assert plan.send(()) == first


def test_load_is_loud_when_the_server_computes_another_digest() -> None:
    plan = load([script("return 1")])
    next(plan)

    with pytest.raises(UnexpectedReplyError):
        plan.send([b"0" * 40])


@pytest.mark.parametrize("deadline", [0, -1, 0.0, math.inf, math.nan, timedelta(0)])
def test_a_deadline_is_positive_and_finite(deadline: Any) -> None:
    with pytest.raises(InvalidArgumentValue, match=r"limit\.gcra: deadline="):
        ends("limit.gcra", deadline)


@pytest.mark.parametrize("deadline", ["2", True, None])
def test_a_deadline_is_a_timedelta_or_seconds(deadline: Any) -> None:
    with pytest.raises(InvalidArgumentType, match="deadline"):
        ends("limit.gcra", deadline)


def test_nothing_that_was_not_executed_is_a_script_error() -> None:
    assert not issubclass(NotExecuted, ScriptFault)
    assert not issubclass(OutcomeUnknown, NotExecuted)
