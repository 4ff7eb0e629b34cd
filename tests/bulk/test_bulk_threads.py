"""Callers that compete for two documents: their history is that of one atomic object."""

from __future__ import annotations

import random
from typing import Any

import redis

from redislua.bindings import bulk
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.runtime.samples import script

THREADS, LENGTH = 4, 20
KEYS = ("a", "b")
NAMES = tuple(f"bulk:{{g}}:{key}".encode() for key in KEYS)


def step(state: tuple[int, int], asked: Any, result: Any) -> Any:
    """The state is both versions; 0 is absent."""
    verb, operand = asked
    if verb == "read":
        versions = [0, 0]
        for row in result.rows:
            versions[row.index] = row.version
        return state if tuple(versions) == state else REFUSED
    if verb == "set":
        rejected = [(at, state[at]) for at in (0, 1) if state[at] > operand]
        after = tuple(max(one, operand) for one in state)
        found = [(row.index, row.version) for row in result.rejected]
        return after if found == rejected else REFUSED
    after = tuple(0 if one <= operand else one for one in state)
    found = [(row.index, row.version) for row in result.kept]
    return after if found == [(at, one) for at, one in enumerate(after) if one] else REFUSED


BULK = Model(
    (0, 0),
    step,
    observes=lambda asked, _: asked[0] == "read",
)


def worker(chance: random.Random, read: Call[Any]) -> Steps:
    for _ in range(LENGTH):
        verb, version = chance.choice(["set", "set", "unlink", "read"]), chance.randint(1, 5)
        if verb == "set":
            row = bulk.SetIfRowsRow(version, b"%d" % version)
            call: Call[Any] = bulk.set_if(group="g", key=KEYS, ttl=60_000, rows=[row, row])
        elif verb == "unlink":
            each = bulk.UnlinkIfRowsRow(version)
            call = bulk.unlink_if(group="g", key=KEYS, rows=[each, each])
        else:
            call, version = read, 0
        yield Step(((verb, version),), Attempt((call,)))


def record(client: redis.Redis, seed: int, make_reads: Any) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), make_reads())) for _ in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def whole() -> Call[Any]:
    return bulk.read(group="g", key=KEYS)


def torn() -> Call[Any]:
    """A read that always sees the second document as absent."""
    call = whole()
    half = script("return {'Found', 0, tonumber(redis.call('HGET', KEYS[1], 'n') or 0), ''}")
    return Call(half, NAMES, (), call.decode)


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        history = record(client, seed, whole)
        verdict = check(BULK, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


def test_a_read_that_sees_half_of_it_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, torn).operations for seed in range(20))

    assert not all(check(BULK, history).linearizable for history in histories)
