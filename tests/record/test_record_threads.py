"""Callers that compete for one record: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import record
from redislua.runtime import Call
from tests.record import model
from tests.record.calls import get, increment, patch, put, remove, seen
from tests.record.test_record_machine import answer
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

THREADS, LENGTH = 4, 20


def step(state: model.State, asked: Any, result: Any) -> Any:
    """Everything lives for an hour, so hours say nothing here."""
    verb, *operands = asked
    if verb == "get":
        return state if (seen(result) or {}) == state.values else REFUSED
    if verb == "remove":
        was_there = isinstance(result, record.RemoveRemoved)
        return model.ABSENT if was_there == bool(state.fields) else REFUSED
    if verb == "put":
        after, expected = model.put(state, dict(operands[0]), operands[1], 1)
    elif verb == "patch":
        sets, deletes = operands
        after, expected = model.patch(state, dict(sets), deletes, 0, longer=False, most=64)
    else:
        after, expected = model.increment(state, "n", operands[0], 0, 5, 0)
    return after if answer(result) == expected else REFUSED


RECORD = Model(model.ABSENT, step, observes=lambda asked, _: asked[0] == "get")


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(LENGTH):
        verb = chance.choice(["put", "patch", "increment", "increment", "get", "get", "remove"])
        value = b"%d" % chance.randint(0, 3)
        asked: tuple[Any, ...] = (verb,)
        call: Call[Any]
        if verb == "put":
            fields, mode = {"n": value, "a": value}, chance.choice(["any", "absent", "present"])
            asked, call = (verb, tuple(fields.items()), mode), put(fields, mode)  # type: ignore[arg-type]  # one of the three
        elif verb == "patch":
            deletes = chance.choice([(), ("n",)])
            asked, call = (verb, (("b", value),), deletes), patch({"b": value}, deletes)
        elif verb == "increment":
            amount = chance.choice([1, 2, -1])
            asked, call = (verb, amount), increment("n", amount, 0, 5)
        elif verb == "get":
            call = get()
        else:
            call = remove()
        yield Step((asked,), Attempt((change(call),)))


def history(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    found, chance = History(), random.Random(seed)
    gang = [found.watch(worker(random.Random(chance.random()), change)) for _ in range(THREADS)]
    in_threads(client, gang)
    return found


def merging(call: Call[Any]) -> Call[Any]:
    """A put that leaves the old fields where they are."""
    source = call.script.source.replace(b"redis.call('UNLINK', record)", b"")
    if call.script.name != "record.put":
        return call
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        verdict = check(RECORD, history(client, seed).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


def test_a_put_that_mixes_two_records_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    found = (history(client, seed, merging).operations for seed in range(20))

    assert not all(check(RECORD, operations).linearizable for operations in found)
