"""What `configure` sets, on both drivers: who is told of a call, and how calls travel."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from redislua.errors import BudgetExceeded, OutcomeUnknown, ScriptFault, UnsupportedClient
from redislua.runtime import Call, arun, configure
from redislua.runtime.watching import Ended
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import call, incr


class Notes:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.ended: list[Ended] = []

    def on_call(self, ended: Ended, /) -> None:
        self.ended.append(ended)

    @property
    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.ended]


class Turnstile(Notes):
    """Lets the calls of one script pass, and no other."""

    def __init__(self, allowed: Call[Any]) -> None:
        super().__init__()
        self._allowed = allowed

    def admit(self, call: Call[Any], /) -> None:
        if call.script is not self._allowed.script:
            raise BudgetExceeded("turned away", script=str(call.script), keys=call.keys)


def test_an_observer_is_told_of_each_call_once(caller: Caller, client: Any) -> None:
    own, notes = caller.open_like(client), Notes()
    configure(own, observer=notes)
    first, faulty = incr(), call("return redis.call('LPUSH', KEYS[1], 1)")

    caller.run(own, first)
    with pytest.raises(ScriptFault):
        caller.run(own, faulty)

    assert [one.call for one in notes.ended] == [first, faulty]
    assert notes.outcomes == ["replied", "failed"]
    assert isinstance(notes.ended[1].error, ScriptFault)
    assert all(one.seconds > 0 for one in notes.ended)


def test_an_observer_is_told_of_a_lost_reply(caller: Caller, client: Any, proxy: Proxy) -> None:
    own, notes = caller.open(proxy.url), Notes()
    caller.run(own, incr())
    configure(own, observer=notes)
    proxy.arm("drop_reply")

    with pytest.raises(OutcomeUnknown):
        caller.run(own, incr("never"))

    assert notes.outcomes == ["unknown"]


def test_an_observer_is_told_of_a_cancelled_call(
    runner: asyncio.Runner, client: Any, proxy: Proxy
) -> None:
    caller, notes = Caller(is_async=True, runner=runner), Notes()
    own = caller.open(proxy.url)
    caller.run(own, incr())
    configure(own, observer=notes)
    proxy.arm("delay", amount=0.2)

    async def cancelled() -> None:
        task = asyncio.create_task(arun(own, incr()))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    runner.run(cancelled())

    assert notes.outcomes == ["cancelled"]
    caller.close()


def test_an_observer_is_told_of_each_call_of_a_batch(caller: Caller, client: Any) -> None:
    own, notes = caller.open_like(client), Notes()
    configure(own, observer=notes)
    calls = (incr(), call("return redis.call('LPUSH', KEYS[1], 1)"), incr())

    caller.run_many(own, *calls, return_exceptions=True)
    caller.run_many(own, *calls, return_exceptions=True, atomic=True)

    assert [one.call for one in notes.ended] == [*calls, *calls]
    assert notes.outcomes == ["replied", "failed", "replied"] * 2


def test_a_gate_turns_calls_away_before_anything_is_sent(caller: Caller, client: Any) -> None:
    own, allowed, other = (
        caller.open_like(client),
        incr(),
        call("return redis.call('DEL', KEYS[1])"),
    )
    turnstile = Turnstile(allowed)
    configure(own, observer=turnstile)

    caller.run(own, allowed)
    with pytest.raises(BudgetExceeded):
        caller.run(own, other)
    first, second, third = caller.run_many(own, allowed, other, allowed, return_exceptions=True)
    with pytest.raises(BudgetExceeded):
        caller.run_many(own, allowed, other, atomic=True)

    assert (first, third) == (2, 3)
    assert isinstance(second, BudgetExceeded)
    assert client.get("{sample}") == b"3"
    assert turnstile.outcomes == [
        *("replied", "not_executed"),
        *("replied", "not_executed", "replied"),
        *("not_executed", "not_executed"),
    ]


def test_an_observer_can_be_taken_away(caller: Caller, client: Any) -> None:
    own, notes = caller.open_like(client), Notes()
    configure(own, observer=notes)
    caller.run(own, incr())
    configure(own, observer=None)

    caller.run(own, incr())

    assert len(notes.ended) == 1


def test_settings_that_are_not_given_stay(caller: Caller, client: Any) -> None:
    own, notes = caller.open_like(client), Notes()
    configure(own, observer=notes)
    configure(own, coalesce=False)

    caller.run(own, incr())

    assert len(notes.ended) == 1


def test_each_client_has_settings_of_its_own(caller: Caller, client: Any) -> None:
    watched, other, notes = caller.open_like(client), caller.open_like(client), Notes()
    configure(watched, observer=notes)

    caller.run(other, incr())

    assert notes.ended == []


def test_what_cannot_be_a_client_cannot_be_configured() -> None:
    with pytest.raises(UnsupportedClient, match="not a client"):
        configure(object(), coalesce=False)  # type: ignore[arg-type]  # the point
