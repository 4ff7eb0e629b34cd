"""Callers that compete for one key: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import pytest
import redis

from redislua.bindings import idempotency as idem
from redislua.runtime import Call
from tests.idempotency import model
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

THREADS, LENGTH, DAY = 4, 30, 86_400_000


def step(state: model.State, asked: Any, result: Any) -> Any:
    """``(verb, owner, operand)`` as in the model."""
    verb, *operands = asked
    after, expected = getattr(model, verb)(state, *operands)
    if expected is None:
        is_same = isinstance(result, idem.BeginInProgress | idem.ExtendExtended)
    else:
        is_same = result == expected
    return after if is_same else REFUSED


REFUSALS = (
    idem.BeginInProgress,
    idem.BeginCompleted,
    idem.CompleteLost,
    idem.FailLost,
    idem.ExtendLost,
)
REQUEST = Model(None, step, observes=lambda _, result: isinstance(result, REFUSALS))


def worker(chance: random.Random, name: str, change: Any) -> Steps:
    """Begin, sometimes twice; mostly give back, whether begun or not; complete late."""
    for turn in range(LENGTH):
        owner = f"{name}.{turn}"
        start = idem.begin(key="k", owner=owner, hold=DAY, ttl=DAY, fingerprint="f")
        for _ in range(chance.choice((1, 1, 2))):
            (reply,) = yield Step((("begin", owner, "f"),), Attempt((start,)))
        if chance.random() < 0.3:
            extend = idem.extend(key="k", owner=owner, hold=DAY)
            yield Step((("extend", owner),), Attempt((extend,)))
        if isinstance(reply, idem.BeginInProgress) and chance.random() < 0.5:
            continue
        if turn > LENGTH // 2 and chance.random() < 0.3:
            end = change(idem.complete(key="k", owner=owner, response=owner.encode(), ttl=DAY))
            yield Step((("complete", owner, owner.encode()),), Attempt((end,)))
        else:
            end = change(idem.fail(key="k", owner=owner, mode="retry"))
            yield Step((("fail", owner, None),), Attempt((end,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    """The history of some threads on one key."""
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), f"w{number}", change))
        for number in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def without_owner(call: Call[Any]) -> Call[Any]:
    """An end that does not look whose attempt it is."""
    source = call.script.source.replace(b"if holder ~= owner then", b"if false then")
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


@pytest.mark.parametrize("seed", range(6))
def test_histories_of_competing_threads_are_linearizable(client: redis.Redis, seed: int) -> None:
    history = record(client, seed)
    verdict = check(REQUEST, history.operations)

    assert verdict.linearizable, verdict.stuck
    results = [one.result for one in history.operations]
    started = [one for one in results if isinstance(one, idem.BeginStarted)]
    waiting = [one for one in results if isinstance(one, idem.BeginInProgress)]
    # Several attempts, by turns or at once: a history without competition proves nothing.
    assert len(started) > 3
    assert len(started) + len(waiting) > 6
    assert results.count(idem.CompleteCompleted(replayed=False)) <= 1


def test_an_end_that_does_not_look_whose_attempt_it_is_would_be_found_out(
    client: redis.Redis,
) -> None:
    """The negative control."""
    for seed in range(3):
        history = record(client, seed, without_owner)

        assert not check(REQUEST, history.operations).linearizable, f"seed {seed}"
