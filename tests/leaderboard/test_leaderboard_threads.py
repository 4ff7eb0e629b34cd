"""Callers that compete for places: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import leaderboard
from redislua.runtime import Call
from tests.leaderboard.test_leaderboard_family import add, rank, remove
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

NAMES = ("a", "b")

State = tuple[tuple[str, int], ...]
EMPTY: State = ()


def step(state: State, asked: Any, result: Any) -> Any:
    """Scores only: places of equal ones are those of the moment, which the model has not."""
    verb, name, amount = asked
    scores = dict(state)
    if verb == "remove":
        expected: Any = leaderboard.RemoveRemoved if name in scores else leaderboard.RemoveNotRanked
        scores.pop(name, None)
    elif verb == "add":
        scores[name] = scores.get(name, 0) + amount
        expected = leaderboard.AddRanked
    else:
        expected = leaderboard.RankRanked if name in scores else leaderboard.RankNotRanked
    if not isinstance(result, expected):
        return REFUSED
    if name in scores:
        better = sum(score > scores[name] for score in scores.values())
        if (result.score, result.tied_rank) != (str(scores[name]), better + 1):
            return REFUSED
    return tuple(sorted(scores.items()))


BOARD = Model(EMPTY, step, observes=lambda asked, _: asked[0] == "rank")


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(20):
        name, amount = chance.choice(NAMES), chance.randint(1, 3)
        verb = chance.choice(["add", "add", "rank", "remove"])
        calls: dict[str, Call[Any]] = {
            "add": change(add(name, amount)),
            "rank": rank(id=name),
            "remove": remove(name),
        }
        call = calls[verb]
        yield Step(((verb, name, amount),), Attempt((call,)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(4)]
    in_threads(client, gang)
    return history


def without_memory(call: Call[Any]) -> Call[Any]:
    """An addition that forgets the score that was there."""
    source = call.script.source.replace(b"(tonumber(old_text or 0) or 0) + amount", b"amount")
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        verdict = check(BOARD, record(client, seed).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


def test_an_addition_that_forgets_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, without_memory).operations for seed in range(20))

    assert not all(check(BOARD, history).linearizable for history in histories)
