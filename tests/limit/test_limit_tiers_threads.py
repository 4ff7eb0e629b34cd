"""`limit.gcra_multi` asked by several threads: all of a call's tiers or none, in one moment."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import redis

from redislua.bindings import limit
from redislua.runtime import Call
from tests.limit.model import TierModel
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

HOUR = timedelta(hours=1)
BURSTS = (30, 60)


def ask(costs: tuple[int, int]) -> Call[limit.GcraMultiReply]:
    rows = [
        limit.GcraMultiTiersRow(name, burst, burst * HOUR, burst, cost)
        for name, burst, cost in zip("ab", BURSTS, costs, strict=True)
    ]
    return limit.gcra_multi(subject="u", tiers=rows)


def step(state: TierModel, costs: Any, result: Any) -> Any:
    """What is left of bursts that earn nothing while the test runs."""
    after = state.take(costs)
    is_granted = isinstance(result, limit.GcraMultiAllowed)
    state = state if after is None else after
    said = tuple(row.remaining for row in result.tiers)
    return state if is_granted == (after is not None) and said == state.left else REFUSED


TIERS = Model(TierModel(BURSTS), step)
Change = Callable[[Call[Any]], Call[Any]]


def worker(chance: random.Random, change: Change) -> Steps:
    for _ in range(12):
        costs = chance.randint(0, 3), chance.randint(0, 3)
        yield Step((costs,), Attempt((change(ask(costs)),)))


def record(client: redis.Redis, seed: int, change: Change = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(4)]
    in_threads(client, gang)
    return history


def tier_by_tier(call: Call[Any]) -> Call[Any]:
    """A limiter that charges the tiers that would grant, when another one refuses."""
    source = call.script.source
    changes = {
        b"if takes and (not refused or is_beyond) then": b"if takes then",
        b"    if not refused then": (
            b"    if fulls_us[row] + costs[row] * tokens_us[row]"
            b" <= now_us + bursts[row] * tokens_us[row] then"
        ),
    }
    for old, new in changes.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    granted = set()
    for seed in range(6):
        history = record(client, seed)
        verdict = check(TIERS, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        granted |= {isinstance(one.result, limit.GcraMultiAllowed) for one in history.operations}
    assert granted == {True, False}


def test_charging_tier_by_tier_would_be_found_out(client: redis.Redis) -> None:
    """P7, and the negative control."""
    histories = (record(client, seed, tier_by_tier).operations for seed in range(10))

    assert not all(check(TIERS, history).linearizable for history in histories)
