"""Callers that compete for one document, and for one entry: each is one atomic object."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis

from redislua.bindings import cache
from redislua.runtime import Call
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

THREADS, LENGTH = 4, 20
SEEDS = 6
HOUR = 3_600_000

Change = Callable[[Call[Any]], Call[Any]]
Work = Callable[[random.Random, Change], Steps]


def as_it_is(call: Call[Any]) -> Call[Any]:
    return call


def history(client: redis.Redis, seed: int, work: Work, change: Change = as_it_is) -> History:
    """What competing threads saw."""
    client.flushall()
    found, chance = History(), random.Random(seed)
    gang = [found.watch(work(random.Random(chance.random()), change)) for _ in range(THREADS)]
    in_threads(client, gang)
    return found


def without(name: str, text: bytes, other: bytes) -> Change:
    """A script with another text in the place of one of its own."""

    def change(call: Call[Any]) -> Call[Any]:
        if call.script.name != f"cache.{name}":
            return call
        source = call.script.source.replace(text, other)
        assert source != call.script.source
        sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
        return replace(call, script=replace(call.script, source=source, sha1=sha1))

    return change


# --- documents -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Document:
    """What is stored; no version is one of two documents."""

    version: str
    value: bytes


def store(state: Document | None, mode: str, expected: str | None, value: bytes, seen: Any) -> Any:
    """What `cache.conditional_update` leaves that answered so."""
    match seen:
        case cache.ConditionalUpdateStored(version, created):
            held = {
                "create": state is None,
                "exists": state is not None,
                "match": state is not None and state.version == expected,
                "any": True,
            }[mode]
            newer = state is None or int(version) > int(state.version)
            fits = held and created == (state is None) and newer
            return Document(version, value) if fits else REFUSED
        case cache.ConditionalUpdateExists(version):
            return state if mode == "create" and state and state.version == version else REFUSED
        case cache.ConditionalUpdateConflict(version, found):
            fits = mode == "match" and state == Document(version, found or b"")
            return state if fits and version != expected else REFUSED
        case cache.ConditionalUpdateMissing():
            return state if mode in ("match", "exists") and state is None else REFUSED
    return REFUSED


def delete(state: Document | None, expected: str | None, seen: Any) -> Any:
    """What `cache.conditional_delete` leaves that answered so."""
    match seen:
        case cache.ConditionalDeleteDeleted():
            return None if state and expected in (None, state.version) else REFUSED
        case cache.ConditionalDeleteConflict(version):
            return state if state and state.version == version != expected else REFUSED
        case cache.ConditionalDeleteMissing():
            return state if state is None else REFUSED
    return REFUSED


def document_step(state: Document | None, asked: Any, seen: Any) -> Any:
    match asked:
        case ("update", mode, expected, value):
            return store(state, mode, expected, value, seen)
        case ("delete", expected):
            return delete(state, expected, seen)
    found = state and cache.ConditionalReadFound(state.value, state.version, None)
    return state if seen == (found or cache.ConditionalReadMissing()) else REFUSED


DOCUMENT: Model[Any] = Model(None, document_step, observes=lambda asked, _: asked[0] == "read")


def documents(chance: random.Random, change: Change) -> Steps:
    """Read, and store or delete by the version that was read last."""
    version, number = "7", 0
    for _ in range(LENGTH):
        verb = chance.choice(["read", "update", "update", "update", "delete"])
        call: Call[Any]
        if verb == "read":
            asked: tuple[Any, ...] = ("read",)
            call = cache.conditional_read(key="k")
        elif verb == "update":
            mode = chance.choice(["create", "exists", "match", "match", "any"])
            expected = version if mode == "match" else None
            number += 1
            token = f"{chance.random()}:{number}"
            value = token.encode()
            asked = ("update", mode, expected, value)
            call = cache.conditional_update(
                key="k",
                mode=mode,  # type: ignore[arg-type]  # one of the four
                expected=expected,
                value=value,
                ttl=HOUR,
                want_value=True,
                token=token[:32],
            )
        else:
            expected = chance.choice([version, None])
            asked = ("delete", expected)
            mode = "match" if expected else "any"
            call = cache.conditional_delete(key="k", mode=mode, expected=expected)  # type: ignore[arg-type]  # one of the two
        (seen,) = yield Step((asked,), Attempt((change(call),)))
        version = getattr(seen, "version", version)


def test_histories_of_a_document_are_linearizable(client: redis.Redis) -> None:
    for seed in range(SEEDS):
        verdict = check(DOCUMENT, history(client, seed, documents).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


# --- entries ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A value or None, who may store one, and by whom and how often fetches failed."""

    value: bytes | None = None
    filled_by: str = ""
    holder: str = ""


def ask(state: Entry, owner: str, seen: Any) -> Any:
    """What `cache.get_or_lock` leaves that answered so."""
    match seen:
        case cache.GetOrLockHit(value):
            return state if state.value == value else REFUSED
        case cache.GetOrLockFill():
            is_free = state.value is None and state.holder in ("", owner)
            return replace(state, holder=owner) if is_free else REFUSED
        case cache.GetOrLockWait():
            return state if state.value is None and state.holder not in ("", owner) else REFUSED
    return REFUSED


def fill(state: Entry, owner: str, value: bytes, seen: Any) -> Any:
    """What `cache.fill` leaves that answered so."""
    was_stored = (state.filled_by, state.value) == (owner, value)
    match seen:
        case cache.FillStored() if state.holder == owner:
            return Entry(value, owner)
        case cache.FillStored():
            return state if was_stored else REFUSED
        case cache.FillLeaseLost():
            return state if state.holder != owner and not was_stored else REFUSED
    return REFUSED


def entry_step(state: Entry, asked: Any, seen: Any) -> Any:
    match asked:
        case ("ask", owner):
            return ask(state, owner, seen)
        case ("fill", owner, value):
            return fill(state, owner, value, seen)
        case ("invalidate",):
            fits = seen == cache.InvalidateInvalidated(state.value is not None)
            return Entry() if fits else REFUSED
    found = seen.value if isinstance(seen, cache.ReadHit) else None
    return state if found == state.value else REFUSED


ENTRY = Model(Entry(), entry_step, observes=lambda asked, _: asked[0] == "read")


def entries(chance: random.Random, change: Change) -> Steps:
    """Ask, fill when chosen, sometimes too late, and invalidate."""
    for _ in range(LENGTH):
        owner = f"{chance.random()}"[:32]
        verb = chance.choice(["ask", "ask", "ask", "read", "invalidate"])
        call: Call[Any]
        if verb == "ask":
            call = cache.get_or_lock(key="k", owner=owner, hold=600_000)
            (seen,) = yield Step(((verb, owner),), Attempt((change(call),)))
            if isinstance(seen, cache.GetOrLockFill):
                value = owner.encode()
                call = cache.fill(key="k", owner=owner, value=value, soft=HOUR, hard=2 * HOUR)
                yield Step((("fill", owner, value),), Attempt((change(call),)))
            continue
        call = cache.read(key="k") if verb == "read" else cache.invalidate(key="k")
        yield Step(((verb,),), Attempt((change(call),)))


def test_histories_of_an_entry_are_linearizable(client: redis.Redis) -> None:
    for seed in range(SEEDS):
        verdict = check(ENTRY, history(client, seed, entries).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


# --- the negative controls -------------------------------------------------------------------

WRONG: dict[str, tuple[Model[Any], Work, Change]] = {
    "an update that does not compare versions": (
        DOCUMENT,
        documents,
        without("conditional_update", b"mode == 'match' and version ~= expected", b"false"),
    ),
    "a delete that does not compare versions": (
        DOCUMENT,
        documents,
        without("conditional_delete", b"mode == 'match' and version ~= expected", b"false"),
    ),
    "a fill of one whose lease was taken away": (
        ENTRY,
        entries,
        without("fill", b"if held ~= owner and", b"if false and held ~= owner and"),
    ),
    "a lease for everybody": (
        ENTRY,
        entries,
        without("get_or_lock", b"redis.call('GET', lease)", b"false"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_one_atomic_object_is_found_out(name: str, client: redis.Redis) -> None:
    model, work, change = WRONG[name]
    found = (history(client, seed, work, change).operations for seed in range(20))

    assert not all(check(model, operations).linearizable for operations in found)
