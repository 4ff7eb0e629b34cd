"""`Backoff` and `AsyncBackoff`: attempts that are counted before they are made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgument
from redislua.patterns.backoff import AsyncBackoff, Backoff, LockedOut, Standing
from tests.patterns.stage import Stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(free=…)`` is a backoff of the surface's kind on an empty server."""

    def made(**options: Any) -> Any:
        return stage.make(Backoff, AsyncBackoff, **{"base": MINUTE, "free": 2} | options)

    return made


def attempt(stage: Stage, backoff: Any, outcome: Exception | None) -> None:
    """One attempt at the same subject, which raises if it is to."""

    def work(_: Any) -> None:
        if outcome is not None:
            raise outcome

    stage.call(stage.within(backoff.attempt("ada"), work))


def test_attempts_that_fail_lock_and_one_that_succeeds_forgets(stage: Stage, make: Any) -> None:
    logins = make()
    for _ in range(3):
        with pytest.raises(PermissionError):
            attempt(stage, logins, PermissionError("wrong"))
    with pytest.raises(LockedOut) as caught:
        attempt(stage, logins, None)
    assert (caught.value.subject, caught.value.fails) == ("ada", 3)
    assert timedelta(seconds=50) < caught.value.retry_after <= MINUTE

    assert stage.call(lambda: logins.ok("ada")) == Standing(3)
    attempt(stage, logins, None)
    assert stage.call(lambda: logins.check("ada")) == Standing(0)


def test_attempts_at_the_same_moment_do_not_slip_past(stage: Stage, make: Any) -> None:
    logins = make()
    entered: list[int] = []

    def wrong(_: Any) -> None:
        entered.append(1)
        raise PermissionError("wrong")

    found = stage.together(*[stage.within(logins.attempt("ada"), wrong) for _ in range(20)])

    assert len(entered) == 3  # two are free, and one goes on and locks
    assert sum(isinstance(one, LockedOut) for one in found) == 17


def test_failures_can_be_counted_and_looked_at(stage: Stage, make: Any) -> None:
    logins = make(free=1)

    first = stage.call(lambda: logins.fail("ada"))
    second = stage.call(lambda: logins.fail("ada"))
    looked = stage.call(lambda: logins.check("ada"))

    assert (first, first.is_locked) == (Standing(1), False)
    assert (second, second.is_locked) == (Standing(2, MINUTE), True)
    assert looked.fails == 2
    assert looked.is_locked
    assert not stage.call(lambda: logins.check("bob")).is_locked


def test_subjects_of_one_namespace_are_not_those_of_another(stage: Stage, make: Any) -> None:
    stage.call(lambda: make(namespace="a", free=0).fail("ada"))

    assert stage.call(lambda: make(namespace="b").check("ada")) == Standing(0)


@pytest.mark.client_side
@pytest.mark.single_server("a client of a cluster asks its nodes when it is made")
def test_without_a_server_attempts_go_on_if_the_application_says_so(stage: Stage) -> None:
    nobody = type(stage.client)(host="127.0.0.1", port=1)
    kind = AsyncBackoff if stage.is_async else Backoff

    with pytest.raises(CallError):
        attempt(stage, kind(nobody, deadline=0.2), None)
    lax = kind(nobody, outage="allow", deadline=0.2)
    attempt(stage, lax, None)
    assert stage.call(lambda: lax.check("ada")) == Standing(0)
    stage.call(lambda: nobody.aclose() if stage.is_async else nobody.close())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"base": timedelta(0)}, "base"),
        ({"base": MINUTE, "most": timedelta(seconds=1)}, "most"),
        ({"free": -1}, "free"),
        ({"forget": 5}, "forget"),
        ({"outage": "deny"}, "outage"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgument, match=named):
        make(**options)
