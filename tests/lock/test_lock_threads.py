"""Callers that compete for one lock: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import lock
from redislua.runtime import Call
from tests.lock import model
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.runtime.samples import script

THREADS, LENGTH = 4, 40

POP = Call(
    script("return redis.call('LPOP', KEYS[1]) or ''"),
    (b"lock:{n}:wake",),
    (),
    decode=lambda reply: int(reply) if reply else None,
)


def step(state: model.State, asked: Any, result: Any) -> Any:
    """``("acquire", owner, ticket)`` gives a fence that is greater than all before."""
    verb, *operands = asked
    if verb == "acquire":
        fence = state.last
        if isinstance(result, lock.AcquireAcquired) and not result.replayed:
            fence = int(result.fence)
            if fence <= state.last:
                return REFUSED
        owner, ticket = operands
        after, expected = model.acquire(state, owner, ticket, fence)
        is_same = isinstance(result, lock.AcquireHeld) if expected is None else result == expected
    elif verb == "extend":
        after, refused = state, model.extend(state, *operands)
        is_same = isinstance(result, lock.ExtendExtended) if refused is None else result == refused
    elif verb == "release":
        after, answer = model.release(state, *operands)
        is_same = result == answer
    else:
        after, token = model.pop(state)
        is_same = result == token
    return after if is_same else REFUSED


REFUSALS = (lock.AcquireHeld, lock.ExtendLost, lock.ReleaseNotOwner, lock.ReleaseAlreadyFree)

LOCK = Model(model.State(), step, observes=lambda _, result: isinstance(result, REFUSALS))


def worker(chance: random.Random, name: str, change: Any) -> Steps:
    """Take, extend and give back; now and then somebody else's lock, or a waiter's turn."""
    ticket: str | None = None
    for turn in range(LENGTH):
        owner = f"{name}.{turn}"
        take = lock.acquire(name="n", owner=owner, hold=600_000, ticket=ticket)
        (reply,) = yield Step((("acquire", owner, ticket),), Attempt((take,)))
        if isinstance(reply, lock.AcquireHeld):
            if chance.random() < 0.3:
                (token,) = yield Step((("pop",),), Attempt((POP,)))
                ticket = None if token is None else str(token)
            if chance.random() < 0.7:
                continue
        elif chance.random() < 0.5:
            extend = lock.extend(name="n", owner=owner, hold=600_000)
            yield Step((("extend", owner),), Attempt((extend,)))
        release = change(lock.release(name="n", owner=owner, grace=10_000))
        yield Step((("release", owner),), Attempt((release,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    """The history of some threads on one lock."""
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [
        history.watch(worker(random.Random(chance.random()), f"w{number}", change))
        for number in range(THREADS)
    ]
    in_threads(client, gang)
    return history


def without_owner(call: Call[Any]) -> Call[Any]:
    """A release that does not look whose lock it is."""
    source = call.script.source.replace(b"if holder ~= owner then", b"if false then")
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    kinds: Counter[type] = Counter()
    for seed in range(6):
        history = record(client, seed)
        verdict = check(LOCK, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        kinds.update(type(one.result) for one in history.operations)
    # Histories without competition prove nothing.
    assert min(kinds[lock.AcquireHeld], kinds[lock.AcquireAcquired]) > 3


def test_a_release_that_does_not_look_whose_lock_it_is_would_be_found_out(
    client: redis.Redis,
) -> None:
    """The negative control: the first run in which they compete shows it."""
    histories = (record(client, seed, without_owner).operations for seed in range(20))

    assert not all(check(LOCK, history).linearizable for history in histories)


def test_no_two_threads_hold_the_lock_at_once(client: redis.Redis) -> None:
    """Each writes its own name into what the lock protects, and finds it unchanged."""
    protected = {"holder": ""}
    found: list[bool] = []

    def hold(name: str) -> Steps:
        for turn in range(2_000):
            if len(found) >= 200:
                return
            owner = f"{name}.{turn}"
            take = lock.acquire(name="n", owner=owner, hold=600_000)
            (reply,) = yield Step((None,), Attempt((take,)))
            if isinstance(reply, lock.AcquireHeld):
                continue
            protected["holder"] = owner
            client.ping()
            found.append(protected["holder"] == owner)
            yield Step((None,), Attempt((lock.release(name="n", owner=owner),)))

    history = History()
    in_threads(client, [history.watch(hold(f"w{number}")) for number in range(THREADS)])

    assert len(found) >= 200
    assert all(found)
