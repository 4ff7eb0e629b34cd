"""The scripts of `debounce`: many events, one thing to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import debounce
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.cache.clock import Clocked
from tests.debounce import model

PENDING, TAKEN = "debounce:{k}:pending", "debounce:{k}:taken"
MINUTE = 60_000


def push(
    value: bytes = b"",
    token: str | None = None,
    quiet: int = MINUTE,
    max_wait: int = 2 * MINUTE,
    keep: int = MINUTE,
) -> Call[debounce.PushPending]:
    return debounce.push(
        key="k", quiet=quiet, max_wait=max_wait, value=value, keep=keep, token=token
    )


def take(token: str | None = None) -> Call[debounce.TakeReply]:
    return debounce.take(key="k", token=token)


def due(call: Any, *values: bytes) -> None:
    for value in values:
        call(push(value, quiet=1, max_wait=1))
    time.sleep(0.005)


# --- a burst --------------------------------------------------------------------------------


def test_of_many_events_the_last_is_taken_once(call: Any) -> None:
    due(call, b"a", b"b", b"\x00\xff")

    assert call(take("w1")) == debounce.TakeFired(3, b"\x00\xff")
    assert call(take("w2")) == debounce.TakeNothing()


def test_an_event_puts_it_off_but_not_beyond_max_wait(call: Any) -> None:
    first = call(push(quiet=MINUTE, max_wait=MINUTE))
    later = call(push(quiet=30_000, max_wait=30_000))

    assert first == debounce.PushPending(1, timedelta(minutes=1))
    assert later.count == 2
    assert timedelta(0) < later.fire_in <= timedelta(seconds=30)
    reply = call(take())
    assert isinstance(reply, debounce.TakeNotYet)
    assert reply.retry_after <= later.fire_in


def test_an_event_after_the_burst_was_taken_begins_another(call: Any) -> None:
    due(call, b"a", b"b")
    call(take("w1"))

    assert call(push(b"c")).count == 1


def test_the_last_event_sent_again_counts_once(call: Any) -> None:
    mine = push(b"a")
    call(mine)

    assert call(mine).count == 1
    assert call(push(b"b")).count == 2
    assert call(mine).count == 3  # another came in between: it cannot be known again


def test_a_burst_that_was_taken_is_taken_again_by_the_same_call_alone(call: Any) -> None:
    due(call, b"a")
    mine = take()

    assert call(mine) == debounce.TakeFired(1, b"a")
    call(push(b"b"))
    assert call(mine) == debounce.TakeFired(1, b"a")
    assert isinstance(call(take()), debounce.TakeNotYet)


def test_every_key_expires(call: Any, client: Any) -> None:
    call(push(keep=5_000, quiet=1_000, max_wait=1_000))
    assert 4_000 < client.pttl(PENDING) <= 6_000

    client.flushall()
    call(push(b"a", quiet=1, max_wait=1, keep=3_600_000))
    time.sleep(0.005)
    call(take())
    assert not client.exists(PENDING)
    assert 0 < client.pttl(TAKEN) <= MINUTE


@pytest.mark.parametrize("back", [1, 500, 86_400_000])
def test_the_last_event_sent_again_after_the_clock_was_set_back_gets_the_same_answer(
    client: redis.Redis, back: int
) -> None:
    clocked, mine = Clocked(client), push(b"a", quiet=1_000, max_wait=2_000)
    first = clocked.run(mine)

    clocked.advance(-back)

    assert clocked.run(mine) == first


# --- what may not be ------------------------------------------------------------------------


@pytest.mark.parametrize("args", [("1", "1", "x" * 4_097, "1", "t"), ("1", "1", "x", "1", "")])
def test_bad_arguments_write_nothing(
    client: redis.Redis, dataset: Callable[[], Any], args: tuple[str, ...]
) -> None:
    run(client, push(b"a"))
    before = dataset()

    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT"):
        client.eval(push().script.source.decode(), 1, PENDING, *args)

    assert dataset() == before


def test_a_full_server_gives_out_what_is_due_and_takes_nothing_more(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    due(lambda one: run(client, one), b"a" * 4_096)
    make_full()
    before = dataset()

    with pytest.raises(OutOfMemory):
        run(client, push(b"b"))
    assert dataset() == before
    assert run(client, take()) == debounce.TakeFired(1, b"a" * 4_096)


# --- against the model ----------------------------------------------------------------------

tokens = st.sampled_from(["a", "b\x00%d", "c" * 32])
times = st.integers(1, 2)


class Machine(RuleBasedStateMachine):
    """One key, under a clock that also goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(PENDING, TAKEN)
        self.client = client
        self.clocked = Clocked(client)
        self.state = model.State()

    @rule(
        quiet=st.sampled_from([1, 10, 1_000]),
        longer=st.sampled_from([0, 5, 5_000]),
        value=st.binary(max_size=3),
        token=tokens,
        times=times,
    )
    def push(self, quiet: int, longer: int, value: bytes, token: str, times: int) -> None:
        call = push(value, token, quiet, quiet + longer, 86_400_000)
        for _ in range(times):
            now = self.clocked.now_ms
            self.state, (count, fire_in) = model.push(
                self.state, now, quiet, quiet + longer, value, token
            )
            reply = self.clocked.run(call)
            assert (reply.count, reply.fire_in) == (count, timedelta(milliseconds=fire_in))

    @rule(token=tokens, times=times)
    def take(self, token: str, times: int) -> None:
        for _ in range(times):
            self.state, expected = model.take(self.state, self.clocked.now_ms, token)
            reply = self.clocked.run(take(token))
            match reply:
                case debounce.TakeFired(count, value):
                    assert expected == ("fired", count, value)
                case debounce.TakeNotYet(retry_after):
                    assert expected == ("not yet", retry_after / timedelta(milliseconds=1))
                case _:
                    assert expected == model.NOTHING

    @rule(step=st.sampled_from([0, 1, 9, 10, 1_000, 3_600_000, -1, -500, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @rule()
    def what_was_taken_is_forgotten(self) -> None:
        self.client.delete(TAKEN)
        self.state = self.state._replace(taken=None)

    @invariant()
    def the_keys_are_there_exactly_when_they_should_be_and_expire(self) -> None:
        assert (self.client.pttl(PENDING) > 0) == (self.state.events > 0)
        assert (self.client.pttl(TAKEN) > 0) == (self.state.taken is not None)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=50, stateful_step_count=30, deadline=None),
    )
