"""What an error means that no server of the matrix can be made to give."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from redislua.errors import CrossSlot, NotExecuted, ScriptFault, ServerRefused, ServerUnreachable
from redislua.runtime.outcome import answered, code_of, not_sent
from tests.runtime.samples import incr


@pytest.mark.parametrize("code", ["OOM", "READONLY", "MISCONF", "NOREPLICAS"])
@pytest.mark.parametrize(
    "tail", ["script: on @user_script:7.", f"script: {'a' * 40}, on @user_script:7."]
)
def test_a_refusal_in_the_middle_of_the_script_is_a_fault(code: str, tail: str) -> None:
    error = answered(incr(), ResponseError(f"{code} Some sentence. {tail}"))

    assert type(error) is ScriptFault
    assert (error.code, error.line, error.reason) == (code, 7, "Some sentence.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ResponseError("BUSY Redis is busy"), "BUSY"),
        (ResponseError("ERR NOSCRIPT No matching script."), "NOSCRIPT"),
        (ResponseError("NOSCRIPT No matching script.", status_code="ERR"), "NOSCRIPT"),
        (ResponseError("ERR Something else"), "ERR"),
        (ResponseError("TTL must be positive", status_code="ERR"), "ERR"),
        (ResponseError("ACL failure in script: User u may not"), "ERR"),
        (ResponseError("RLUA_X text"), "RLUA_X"),
        (ResponseError("A sentence"), None),
        (RedisConnectionError("Error 111 connecting to 127.0.0.1:1."), None),
    ],
)
def test_the_code_is_found_wherever_it_is(error: Exception, code: str | None) -> None:
    assert code_of(error) == code


def test_a_server_without_room_for_the_connection_is_unreachable() -> None:
    full = RedisConnectionError("max number of clients reached", status_code="ERR")

    assert type(not_sent(incr(), full)) is ServerUnreachable
    assert type(answered(incr(), full)) is ServerUnreachable


def test_a_setting_that_the_server_refuses_is_not_tried_again() -> None:
    error = not_sent(incr(), ResponseError("DB index is out of range", status_code="ERR"))

    assert type(error) is ServerRefused
    assert not error.transient


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("MOVED 1 127.0.0.1:2", NotExecuted),
        ("ASK 1 127.0.0.1:2", NotExecuted),
        ("CROSSSLOT Keys", CrossSlot),
    ],
)
def test_a_cluster_that_sends_the_call_elsewhere_did_not_execute_it(text: str, kind: type) -> None:
    assert type(answered(incr(), ResponseError(text))) is kind


def test_the_servers_word_on_the_line_goes_before_the_messages() -> None:
    raised_again = ResponseError(
        "user_script:2: attempt to index a nil value script: on @user_script:5.", status_code="ERR"
    )

    error = answered(incr(), raised_again)

    assert isinstance(error, ScriptFault)
    assert error.line == 5
