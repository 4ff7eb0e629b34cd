"""The engine against EVAL, over the catalogue: the same reply and the same dataset, always.

Both run from one state under one clock: in the text that EVAL gets, ``redis.call('TIME')`` is
two constants, and nothing else of it changes. What a command makes of the server's own clock
(``PX 50``, ``PTTL``) may differ by the milliseconds between the two runs: an expiry and a number
of the reply may by no more than these, and a key that runs out within them counts as gone. What
differs otherwise is asked for again, from the same state: a key may run out in between.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.probe.engine import Engine
from redislua.probe.engine.replies import plain
from redislua.probe.engine.state import Watch
from redislua.probe.engine.wire import Connection, Failure, Reply
from redislua.probe.snapshot import Snapshot, snapshot
from redislua.probe.sweep import moments, trials
from redislua.probe.trials import bad_arguments, restore
from redislua.runtime import Call, run
from redislua.spec.model import Arg, Script
from tests.catalogue.samples import operations, registry, valid_call

SCRIPTS = registry().scripts
TIME = b"redis.call('TIME')"
AGAIN = 8
WATCHES: tuple[Watch, ...] = ("none", "instructions", "lines")


class Both:
    """One server, asked by EVAL and through the engine.

    Args:
        url: The server's.
        client: Of it.
        in_turn: Watch each run in one way, the next one in the next; else each in all ways.
    """

    def __init__(self, url: str, client: Any, *, in_turn: bool) -> None:
        self.engine = Engine(url)
        self.client = client
        self.compared = 0
        self._in_turn = in_turn
        self._raw = Connection(url)

    def close(self) -> None:
        self._raw.close()
        self.engine.__exit__(None, None, None)

    def now(self) -> int:
        seconds, microseconds = self.client.time()
        return int(seconds) * 1_000_000 + int(microseconds)

    def compare(self, call: Call[Any], state: Snapshot, clock: int) -> None:
        """Run a call both ways from one state, in each way of watching it or in the next."""
        self.compared += 1
        for watch in (WATCHES[self.compared % len(WATCHES)],) if self._in_turn else WATCHES:
            for left in reversed(range(AGAIN)):
                began = self.now()
                restore(self.client, state)
                expected = self._eval(call, clock)
                after = snapshot(self.client)
                restore(self.client, state)
                found = self.engine.run(call, watch=watch, clock=clock)
                answered: Any = Failure(found.error) if found.error else found.reply
                left_behind = snapshot(self.client)
                now_ms = self.now() // 1000
                drift_ms = now_ms - began // 1000 + 1
                if near(told(answered), told(expected), drift_ms) and same(
                    *lasting(left_behind, after, now_ms + drift_ms), drift_ms
                ):
                    break
                assert left, (call.args, watch, answered, expected, left_behind, after)
                time.sleep(0.01)

    def _eval(self, call: Call[Any], clock: int) -> Reply:
        stopped = b"({'%d','%d'})" % divmod(clock, 1_000_000)
        text = call.script.source.replace(TIME, stopped)
        words = (b"EVAL", text, b"%d" % len(call.keys), *call.keys, *call.args)
        return self._raw.send(words)


def told(reply: Any) -> Any:
    """A reply as a client has it; of an error what it says and the line in the script."""
    if isinstance(reply, Failure):
        text, _, place = reply.partition(b" script: ")
        return ("error", text, place.rpartition(b":")[2])
    return plain(reply)


def near(one: Any, other: Any, drift_ms: int) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(near, one, other, [drift_ms] * len(one)))
    if isinstance(one, int) and isinstance(other, int):
        return abs(one - other) <= drift_ms
    return bool(one == other)


def lasting(one: Snapshot, other: Snapshot, until_ms: int) -> tuple[Snapshot, Snapshot]:
    """Both without the keys that run out by then in either: the one run was before the other."""
    going = {
        key
        for state in (one, other)
        for key, entry in state.items()
        if (entry.expires_at or until_ms + 1) <= until_ms
    }
    first, second = (
        {key: entry for key, entry in state.items() if key not in going} for state in (one, other)
    )
    return first, second


def same(one: Snapshot, other: Snapshot, drift_ms: int) -> bool:
    return one.keys() == other.keys() and all(
        mine[:2] == theirs[:2]
        and (mine.expires_at is None) == (theirs.expires_at is None)
        and abs((mine.expires_at or 0) - (theirs.expires_at or 0)) <= drift_ms
        for mine, theirs in ((one[key], other[key]) for key in one)
    )


def test_a_number_is_near_by_the_time_between_and_no_more():
    assert near([b"Wait", 100, [5]], [b"Wait", 98, [5]], 2)
    assert not near([b"Wait", 100], [b"Wait", 97], 2)
    assert not near([b"Wait", 100], [b"Fill", 100], 2)
    assert not near([b"Wait"], [b"Wait", 100], 2)
    assert not near(b"1", 1, 2)


@pytest.fixture
def both(server, client) -> Iterator[Both]:
    # How a run is watched does not depend on the server.
    opened = Both(server.url, client, in_turn=not server.version.startswith("Valkey 9"))
    yield opened
    opened.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)
def test_examples_and_what_is_tried_around_them(script, both, client):
    """Each call of the examples where it stands, and all trials of the first two calls."""
    known: dict[Any, Call[Any]] = {}
    for number, moment in enumerate(
        moments(registry(), operations(), client, script, lambda call: run(client, call))
    ):
        known[moment.call.args] = moment.call
        both.compare(moment.call, moment.state, both.now())
        if number > 1:
            continue
        for trial in bad_arguments(script, moment.call):
            both.compare(trial.call, moment.state, both.now())
        for trial in trials(script, moment, known.values(), client):
            if trial.change is not None:
                trial.change(client)
            both.compare(trial.call, snapshot(client), both.now() + trial.shift)
    assert both.compared > 10


def values(arg: Arg) -> st.SearchStrategy[bytes]:
    """Bytes that a binding could send for an argument, its range's ends among them."""
    low, high = arg.bounds
    found: st.SearchStrategy[bytes]
    if arg.type.kind == "enum":
        found = st.sampled_from([word.encode() for word in arg.type.choices])
    elif arg.type.kind == "bool":
        found = st.sampled_from([b"0", b"1"])
    elif arg.type.is_numeric:
        small = st.integers(int(low), int(min(high, low + 10)))
        whole = st.integers(int(low), int(high)) | small | st.sampled_from([int(low), int(high)])
        found = whole.map(lambda number: b"%d" % number)
    else:
        found = st.binary(min_size=int(low), max_size=int(min(high, 12)))
    if arg.default is not None and arg.default.value is None:
        found |= st.just(b"")
    return found


def generated(script: Script) -> st.SearchStrategy[list[tuple[tuple[bytes, ...], int]]]:
    """Some calls in a row: ARGV up to the channels, and how far the clock goes before each."""
    args = st.tuples(*(values(arg) for arg in script.args))
    steps = st.sampled_from([0, 1, 999, 50_000, 1_000_000, 60_000_000, -1_000_000])
    return st.lists(st.tuples(args, steps), min_size=1, max_size=4)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)
def test_generated_calls_in_a_row(script, both, client):
    sample = valid_call(script)
    assert len(script.keys_of(sample.keys)) == len(sample.keys)

    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(generated(script))
    def check(calls: list[tuple[tuple[bytes, ...], int]]) -> None:
        client.flushall()
        clock = both.now()
        for args, step in calls:
            clock += step
            call = dataclasses.replace(sample, args=args + sample.args[len(args) :])
            both.compare(call, snapshot(client), clock)

    check()
    assert both.compared >= 20


def test_the_comparison_sees_a_difference(both, client):
    """A script that asks for what only one of the two has must not compare equal."""
    sample = valid_call(SCRIPTS[0])
    source = (
        b"#!lua\nlocal found = 0 for _ in pairs(_G) do found = found + 1 end return 'n' .. found"
    )
    script = dataclasses.replace(sample.script, source=source)

    with pytest.raises(AssertionError):
        both.compare(dataclasses.replace(sample, script=script), {}, both.now())


def test_a_key_that_runs_out_in_one_of_two_is_compared_in_neither(client):
    client.set("soon", "1", px=60_000)
    client.set("kept", "1")
    one = snapshot(client)
    runs_out = one[b"soon"].expires_at
    assert runs_out is not None
    other = {**one, b"soon": one[b"soon"]._replace(expires_at=runs_out + 5)}

    assert lasting(one, other, runs_out) == ({b"kept": one[b"kept"]},) * 2
    assert lasting(one, other, runs_out - 1) == (one, other)


def test_a_changed_value_is_a_difference(client):
    client.set("k", "1", px=60_000)
    one = snapshot(client)
    client.set("k", "2", keepttl=True)
    two = snapshot(client)

    assert same(one, one, 0)
    assert not same(one, two, 1000)
    assert not same(one, {}, 1000)


def test_server_errors_are_compared_by_text_and_line(client):
    assert isinstance(client, redis.Redis)
    before = told(Failure(b"ERR x script: abc, on @user_script:7."))

    assert before == told(Failure(b"ERR x script: on @user_script:7."))
    assert before != told(Failure(b"ERR x script: on @user_script:8."))
    assert before != told(Failure(b"ERR y script: on @user_script:7."))
