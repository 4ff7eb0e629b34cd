"""Callers that note, count and fold at once: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import visitors
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.visitors.test_visitors import count, record
from tests.visitors.test_visitors_rollup import rollup

THREADS, LENGTH = 4, 15
PAGES = ("mon", "tue", "week")
IDS = "abcdefghijklmnopqrsuvwxyz"
"""So few that their number is exact: of the letters t alone shares a register with another."""

State = tuple[frozenset[str], ...]
EMPTY: State = (frozenset(),) * len(PAGES)


def step(state: State, asked: Any, result: Any) -> Any:
    """The state is who was seen on each of the pages."""
    verb, *operands = asked
    seen = dict(zip(PAGES, state, strict=True))
    expected: Any
    if verb == "record":
        page, ids = operands
        is_new = not set(ids) <= seen[page]
        expected = visitors.RecordChanged() if is_new else visitors.RecordUnchanged()
        seen[page] |= set(ids)
    else:
        union = frozenset().union(*(seen[page] for page in operands[0]))
        expected = visitors.CountCounted(len(union))
        if verb == "rollup":
            expected = visitors.RollupMerged(len(union))
            seen["week"] = union
    return tuple(seen[page] for page in PAGES) if result == expected else REFUSED


def observes(asked: Any, result: Any) -> bool:
    return asked[0] == "count" or isinstance(result, visitors.RecordUnchanged)


VISITORS = Model(EMPTY, step, observes)


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(LENGTH):
        verb = chance.choice(("record", "record", "count", "rollup"))
        asked: tuple[Any, ...]
        one: Call[Any]
        if verb == "record":
            page, ids = chance.choice(PAGES), tuple(chance.sample(IDS, 2))
            asked, one = (verb, page, ids), record(*ids, page=page)
        elif verb == "count":
            some = tuple(chance.sample(PAGES, chance.choice((1, 2, 3))))
            asked, one = (verb, some), count(*some)
        else:
            some = tuple(chance.sample(PAGES[:2], chance.choice((1, 2))))
            asked, one = (verb, some), change(rollup(*some))
        yield Step((asked,), Attempt((one,)))


def history_of(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(THREADS)]
    in_threads(client, gang)
    return history


def without_emptying(call: Call[Any]) -> Call[Any]:
    """A fold that keeps what was there before, as PFMERGE does by itself."""
    emptying = b"redis.call('UNLINK', sketch)"
    assert emptying in call.script.source
    source = call.script.source.replace(emptying, b"redis.call('EXISTS', sketch)")
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    kinds: Counter[type] = Counter()
    for seed in range(6):
        history = history_of(client, seed)
        verdict = check(VISITORS, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        kinds.update(type(one.result) for one in history.operations)
    # Histories in which nothing is said twice prove nothing.
    assert min(kinds[visitors.RecordChanged], kinds[visitors.RecordUnchanged]) > 5


def test_a_fold_that_keeps_what_was_there_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (history_of(client, seed, without_emptying).operations for seed in range(20))

    assert not all(check(VISITORS, history).linearizable for history in histories)
