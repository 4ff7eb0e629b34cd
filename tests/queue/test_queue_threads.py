"""Workers that compete for the jobs of one queue: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import pytest
import redis

from redislua.bindings import queue
from redislua.runtime import Call, run
from tests.queue import model
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

THREADS, LENGTH, DAY = 4, 20, 86_400_000
NOW = 10**12
"""The model's time, at which all is due that the workers schedule without a delay."""


def step(state: model.State, asked: Any, result: Any) -> Any:
    """Leases last for a day here, and what is given back is due a day later."""
    verb, *operands = asked
    if verb == "schedule":
        id_, token, run_at, is_new = operands
        after, expected = model.schedule(state, id_, b"p", token, run_at, replace=is_new)
        if isinstance(expected, queue.ScheduleExists) and isinstance(result, queue.ScheduleExists):
            return after if result.status == expected.status else REFUSED
    elif verb == "claim":
        receipt, count = operands
        after, expected = model.claim(state, receipt, NOW, DAY, count)
        if isinstance(expected, queue.ClaimEmpty):
            return state if isinstance(result, queue.ClaimEmpty) else REFUSED
    elif verb == "nack":
        after, expected = model.nack(state, operands[0], operands[1], NOW, DAY)
        if isinstance(expected, queue.NackRetried):
            return after if isinstance(result, queue.NackRetried) else REFUSED
    elif verb == "ack":
        after, expected = model.ack(state, *operands)
    else:
        after, expected = model.remove(state, *operands)
    return after if result == expected else REFUSED


REFUSALS = (queue.ClaimEmpty, queue.AckLost, queue.AckGone, queue.NackLost, queue.NackGone)
QUEUE = Model(model.EMPTY, step, observes=lambda _, result: isinstance(result, REFUSALS))


def worker(chance: random.Random, name: str, change: Any) -> Steps:
    """Schedule few ids, claim often, sometimes twice; end mostly what is one's own."""
    for turn in range(LENGTH):
        id_, token = f"j{chance.randrange(6)}", f"{name}.{turn}"
        run_at, is_new = chance.randrange(1_000), chance.random() < 0.3
        one: Call[Any] = queue.schedule(
            name="q",
            id=id_,
            payload=b"p",
            run_at=run_at,
            mode="replace" if is_new else "if_absent",
            token=token,
        )
        yield Step((("schedule", id_, token, run_at, is_new),), Attempt((one,)))
        receipt, count = f"{name}.{turn}", chance.choice((1, 2))
        one = change(queue.claim(name="q", receipt=receipt, lease=DAY, count=count))
        for _ in range(chance.choice((1, 1, 2))):
            (reply,) = yield Step((("claim", receipt, count),), Attempt((one,)))
        held = [row.id for row in getattr(reply, "rows", ())]
        for other in (*held, f"j{chance.randrange(6)}"):
            if chance.random() < 0.2:
                one = queue.nack(name="q", id=other, receipt=receipt, delay=DAY)
                yield Step((("nack", other, receipt),), Attempt((one,)))
            elif chance.random() < 0.1:
                one = queue.remove(name="q", id=other)
                yield Step((("remove", other),), Attempt((one,)))
            elif chance.random() < 0.9:
                one = queue.ack(name="q", id=other, receipt=receipt)
                yield Step((("ack", other, receipt),), Attempt((one,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    """The history of some workers on one queue."""
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), f"w{number}", change))
        for number in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def without_taking(call: Call[Any]) -> Call[Any]:
    """A claim that leaves the jobs in the queue."""
    taking = b"redis.call('ZREM', due, unpack(started))"
    assert taking in call.script.source
    source = call.script.source.replace(taking, b"local _ = started")
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


@pytest.mark.parametrize("seed", range(6))
def test_histories_of_competing_workers_are_linearizable(client: redis.Redis, seed: int) -> None:
    history = record(client, seed)
    verdict = check(QUEUE, history.operations)

    assert verdict.linearizable, verdict.stuck
    results = [one.result for one in history.operations]
    for kind in (queue.ClaimClaimed, queue.ScheduleExists, queue.AckAcked):
        # A history without competition proves nothing.
        assert sum(isinstance(one, kind) for one in results) > 3


def test_a_claim_that_leaves_the_jobs_in_the_queue_would_be_found_out(
    client: redis.Redis,
) -> None:
    """The negative control."""
    for seed in range(3):
        history = record(client, seed, without_taking)

        assert not check(QUEUE, history.operations).linearizable, f"seed {seed}"


def test_each_of_many_jobs_is_claimed_by_one_of_many_workers(client: redis.Redis) -> None:
    for number in range(250):
        run(client, queue.schedule(name="q", id=f"{number}", payload=b"", run_at=number))
    found: list[str] = []

    def drain(name: str) -> Steps:
        for turn in range(250):
            receipt = f"{name}.{turn}"
            one = queue.claim(name="q", receipt=receipt, lease=DAY, count=7)
            (reply,) = yield Step((None,), Attempt((one,)))
            if isinstance(reply, queue.ClaimEmpty):
                return
            found.extend(row.id for row in reply.rows)

    history = History()
    in_threads(client, [history.watch(drain(f"w{number}")) for number in range(THREADS)])

    assert sorted(found, key=int) == [str(number) for number in range(250)]
