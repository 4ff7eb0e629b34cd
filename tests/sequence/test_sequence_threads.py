"""Callers that take numbers at once: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import sequence
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, UNKNOWN, Model, check

THREADS, LENGTH = 4, 25


def step(last: int, count: Any, result: Any) -> Any:
    """The state is the last number. Where a block begins is the clock's affair, but after it."""
    if result is UNKNOWN:
        return last
    if result.count != count or result.first <= last:
        return REFUSED
    return result.first + count - 1


SEQUENCE = Model(0, step, missed=lambda last, _, result: result.first <= last)


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(LENGTH):
        count = chance.choice((1, 7, 1_000))
        one: Call[Any] = change(sequence.next(name="orders", count=count))
        yield Step((count,), Attempt((one,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(THREADS)]
    in_threads(client, gang)
    return history


def by_the_clock_alone(call: Call[Any]) -> Call[Any]:
    """Numbers that are the time, whatever the last one was."""
    source = call.script.source.replace(b"math.max(now_us, (stored_number or 0) + 1)", b"now_us")
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        history = record(client, seed)
        verdict = check(SEQUENCE, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        assert len(history.operations) == THREADS * LENGTH


def test_numbers_by_the_clock_alone_would_be_found_out(client: redis.Redis) -> None:
    """The negative control: blocks of a thousand microseconds, taken faster than that."""
    for seed in range(3):
        history = record(client, seed, by_the_clock_alone)

        assert not check(SEQUENCE, history.operations).linearizable, f"seed {seed}"
