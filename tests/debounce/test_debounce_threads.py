"""Callers that compete for one burst: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import redis

from redislua.bindings import debounce
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

THREADS, LENGTH = 4, 25


class State(NamedTuple):
    """Events that are pending, the value of the last, and what the last taker got."""

    events: int = 0
    value: bytes = b""
    taken: tuple[str, int, bytes] | None = None


def step(state: State, asked: Any, result: Any) -> Any:
    """Every burst is due at once or within a millisecond, so `NotYet` may come at any time."""
    verb, operand = asked
    if verb == "push":
        after = State(state.events + 1, operand, state.taken)
        return after if result.count == after.events else REFUSED
    if isinstance(result, debounce.TakeFired):
        if (operand, result.count, result.value) == state.taken:
            return state
        if (result.count, result.value) == (state.events, state.value) and state.events:
            return State(taken=(operand, result.count, result.value))
        return REFUSED
    if isinstance(result, debounce.TakeNotYet):
        return state if state.events else REFUSED
    return REFUSED if state.events else state


DEBOUNCE = Model(State(), step, observes=lambda _, result: isinstance(result, debounce.TakeNothing))


def worker(chance: random.Random, name: str, change: Any) -> Steps:
    for turn in range(LENGTH):
        mine = f"{name}.{turn}"
        if chance.random() < 0.5:
            value = mine.encode()
            call = debounce.push(key="k", quiet=1, max_wait=1, value=value, token=mine)
            yield Step((("push", value),), Attempt((call,)))
        else:
            call = change(debounce.take(key="k", token=mine))
            for _ in range(chance.choice((1, 1, 2))):  # sent again, now and then
                yield Step((("take", mine),), Attempt((call,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), f"w{number}", change))
        for number in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def without_memory(call: Call[Any]) -> Call[Any]:
    """A take that leaves the burst where it is."""
    source = call.script.source.replace(b"redis.call('RENAME', pending, taken)", b"")
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    kinds: Counter[type] = Counter()
    for seed in range(6):
        history = record(client, seed)
        verdict = check(DEBOUNCE, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        kinds.update(type(one.result) for one in history.operations)
    assert min(kinds[debounce.TakeFired], kinds[debounce.TakeNothing]) > 3


def test_a_take_that_leaves_the_burst_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, without_memory).operations for seed in range(20))

    assert not all(check(DEBOUNCE, history).linearizable for history in histories)
