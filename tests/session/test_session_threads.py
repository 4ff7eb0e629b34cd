"""Callers that compete for the sessions of a user: their history is that of one atomic object."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import redis

from redislua.bindings import session
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check
from tests.session.test_session_family import create, destroy, patch, revoke_all, touch

THREADS, LENGTH = 4, 20
SIDS = ("a", "b")

State = tuple[tuple[tuple[str, int], ...], frozenset[str]]
"""Revision of each session that is kept, and those that are valid."""


def step(state: State, asked: Any, result: Any) -> Any:
    kept, valid = dict(state[0]), set(state[1])
    verb, sid = asked
    if verb == "create":
        if sid in kept:
            expected: Any = session.CreateReplayed if sid in valid else session.CreateRevoked
        else:
            kept[sid], expected = 1, session.CreateCreated
            valid.add(sid)
    elif verb == "revoke_all":
        count = len(valid)
        valid.clear()
        if result.sessions != count:
            return REFUSED
        expected = session.RevokeAllRevoked
    elif verb == "destroy":
        is_there = sid in valid
        kept.pop(sid, None)
        valid.discard(sid)
        expected = session.DestroyDestroyed if is_there else session.DestroyMissing
    elif sid not in kept:
        expected = session.PatchMissing if verb == "patch" else session.TouchMissing
    elif sid not in valid:
        expected = session.PatchRevoked if verb == "patch" else session.TouchRevoked
    else:
        expected = session.PatchPatched if verb == "patch" else session.TouchLive
        kept[sid] += verb == "patch"
        if result.__class__ is expected and result.rev != kept[sid]:
            return REFUSED
    if not isinstance(result, expected):
        return REFUSED
    return tuple(sorted(kept.items())), frozenset(valid)


EMPTY: State = ((), frozenset())

SESSIONS = Model(EMPTY, step, observes=lambda asked, _: asked[0] == "touch")

CALLS: dict[str, Any] = {
    "create": create,
    "touch": touch,
    "patch": lambda sid: patch(sid, {"x": b"1"}),
    "destroy": destroy,
    "revoke_all": lambda _: revoke_all(),
}


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(LENGTH):
        verb = chance.choice(["create", "create", "touch", "patch", "patch", *CALLS])
        sid = chance.choice(SIDS)
        yield Step(((verb, sid),), Attempt((change(CALLS[verb](sid)),)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(THREADS)]
    in_threads(client, gang)
    return history


def without_index(call: Call[Any]) -> Call[Any]:
    """A change that does not look whether the session is still valid."""
    source = call.script.source
    if call.script.name.startswith("session.patch"):
        source = source.replace(b"if ends_at_ms <= now_ms then", b"if false then")
        assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    kinds: Counter[type] = Counter()
    for seed in range(6):
        history = record(client, seed)
        verdict = check(SESSIONS, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        kinds.update(type(one.result) for one in history.operations)
    assert min(kinds[session.PatchRevoked], kinds[session.PatchPatched]) > 3


def test_a_change_that_revives_a_session_would_be_found_out(client: redis.Redis) -> None:
    """The negative control; P15."""
    histories = (record(client, seed, without_index).operations for seed in range(20))

    assert not all(check(SESSIONS, history).linearizable for history in histories)
