"""`once.claim`: the first of all, whoever asks and however often."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from redislua.bindings import once
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run, warm
from tests.cache.clock import Clocked
from tests.once import model
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.runtime.proxy import Proxy

KEY = "once:{k}:claim"
DAY = 86_400_000
BINARY = b"\x00\xff:7:{not utf-8}\r\n\x00"


def claim(token: str | None = None, value: bytes | None = None, ttl: int = DAY) -> Call[Any]:
    return once.claim(key="k", ttl=ttl, value=value, token=token)


# --- who is first -------------------------------------------------------------------------------


def test_one_caller_is_first_and_all_others_learn_who_and_when(call: Any) -> None:
    first = call(claim(value=BINARY))
    others = [call(claim(value=b"other")) for _ in range(3)]

    assert first == once.ClaimFirst()
    assert {type(other) for other in others} == {once.ClaimSeen}
    assert {other.value for other in others} == {BINARY}
    assert all(timedelta(0) <= other.age < timedelta(minutes=1) for other in others)


def test_the_call_that_was_first_is_first_again(call: Any) -> None:
    """A `Call` carries its token, so running it twice is a resend, also after the others."""
    mine, other = claim(value=b"mine"), claim(value=b"other")

    assert call(mine) == once.ClaimFirst()
    for _ in range(2):
        assert isinstance(call(mine), once.ClaimReplayed)
        assert isinstance(call(other), once.ClaimSeen)
    assert call(mine).value == b"mine"


def test_keys_do_not_know_of_each_other(call: Any) -> None:
    calls = [once.claim(key=f"k{number}", ttl=DAY, token="t") for number in range(3)]

    assert [call(one) for one in calls] == [once.ClaimFirst()] * 3


def test_a_claim_ends_with_its_ttl_which_nobody_prolongs(call: Any, client: Any) -> None:
    assert call(claim("a", ttl=60_000)) == once.ClaimFirst()
    for token in ("b", "a"):
        call(claim(token, ttl=DAY))
        assert 0 < client.pttl(KEY) <= 60_000
    client.pexpire(KEY, 1)
    time.sleep(0.02)

    assert call(claim("b")) == once.ClaimFirst()
    assert 60_000 < client.pttl(KEY) <= DAY
    assert isinstance(call(claim("a")), once.ClaimSeen)


@pytest.mark.parametrize("token", ["t", "t" * 32, "12:34:", "a\x00b", "é"])
@pytest.mark.parametrize("value", [None, b":", b"7:t", BINARY, b"x" * 4_096])
def test_token_and_value_may_hold_anything(call: Any, token: str, value: bytes | None) -> None:
    assert call(claim(token, value)) == once.ClaimFirst()

    replayed, seen = call(claim(token)), call(claim("other"))
    assert isinstance(replayed, once.ClaimReplayed)
    assert isinstance(seen, once.ClaimSeen)
    assert replayed.value == seen.value == (value or b"")


# --- in any order -------------------------------------------------------------------------------


class Machine(RuleBasedStateMachine):
    """One key."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.clocked = Clocked(client)
        self.state: model.Claimed | None = None

    @rule(token=st.sampled_from(["a", "b", "1:"]), value=st.sampled_from([b"v", b"\x00:"]))
    def claim(self, token: str, value: bytes) -> None:
        now = self.clocked.now_ms
        self.state, expected = model.claim(self.state, token, value, now)
        assert self.clocked.run(claim(token, value)) == expected

    @rule(step=st.sampled_from([1, 3_600_000, -1, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @precondition(lambda self: self.state is not None)
    @rule()
    def the_ttl_is_over(self) -> None:
        self.client.delete(KEY)
        self.state = None

    @invariant()
    def the_key_is_there_exactly_when_it_should_be_and_expires(self) -> None:
        assert (self.client.pttl(KEY) > 0) == (self.state is not None)


def test_it_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=40, stateful_step_count=20, deadline=None),
    )


# --- at the same time ---------------------------------------------------------------------------


def step(state: model.Claimed | None, asked: Any, result: Any) -> Any:
    """``(token, value)``; the age is the clock's, so it is left to the machine above."""
    token, value = asked
    after, expected = model.claim(state, token, value, 0)
    if type(expected) is not type(result):
        return REFUSED
    return after if getattr(expected, "value", b"") == getattr(result, "value", b"") else REFUSED


def worker(name: str, change: Callable[[Call[Any]], Call[Any]]) -> Steps:
    for turn in range(8):
        value = f"{name}.{turn}".encode()
        one = change(claim(f"{name}.{turn}", value))
        for _ in range(2):
            yield Step(((f"{name}.{turn}", value),), Attempt((one,)))


def forgetful(call: Call[Any]) -> Call[Any]:
    """A claim that does not look whether there is one."""
    source = call.script.source.replace(b"if not stored then", b"if true then")
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


@pytest.mark.parametrize(("change", "expected"), [(lambda one: one, True), (forgetful, False)])
def test_of_competing_threads_one_is_first(
    client: redis.Redis, change: Any, expected: bool
) -> None:
    """The second case is the negative control."""
    for _ in range(5):
        client.flushall()
        history = History()
        in_threads(client, [history.watch(worker(f"w{number}", change)) for number in range(4)])

        firsts = [one for one in history.operations if one.result == once.ClaimFirst()]
        assert (len(firsts) == 1) is expected
        assert check(Model(None, step), history.operations).linearizable is expected


# --- the server ---------------------------------------------------------------------------------


def test_a_lost_reply_does_not_lose_the_event(client: redis.Redis, proxy: Proxy) -> None:
    """P27: SET NX sent again finds its own value and says that another one came first."""
    warm(client, once)
    with redis.Redis.from_url(proxy.url) as faulty:
        proxy.arm("drop_reply")
        reply = run(faulty, claim(value=b"mine"))

    assert proxy.met == 1
    assert isinstance(reply, once.ClaimReplayed)
    assert isinstance(run(client, claim()), once.ClaimSeen)


def test_a_full_server_lets_nobody_be_first(
    client: redis.Redis, make_full: Callable[[], None]
) -> None:
    """Nobody is told to be the first before that is written down."""
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, claim())
    assert client.dbsize() == 0


@pytest.mark.parametrize(
    "state", ["", "1", "x:1:t", "1:0:", "1:33:" + "t" * 33, "1:2:t", "1:1:", "-1:1:t", "1:1t"]
)
def test_a_state_of_something_else_is_an_error_and_nothing_changes(
    client: redis.Redis, dataset: Callable[[], object], state: str
) -> None:
    client.set(KEY, state, px=60_000)
    before = dataset()

    with pytest.raises(once.BadStateError):
        run(client, claim())
    assert dataset() == before


@pytest.mark.parametrize(("index", "value"), [(1, b"x" * 4_097), (2, b""), (2, b"t" * 33)])
def test_a_bad_argument_past_the_binding_is_refused(
    client: redis.Redis, index: int, value: bytes
) -> None:
    sample = claim("t", b"v")
    args = list(sample.args)
    args[index] = value

    with pytest.raises(once.BadArgumentError):
        run(client, Call(sample.script, sample.keys, tuple(args), sample.decode))
    assert client.dbsize() == 0
