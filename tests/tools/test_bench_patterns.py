"""Locks, caches and limiters beside their peers: what is counted is what is said."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from redislua.server import start
from tools.bench import goals
from tools.bench.guarantees import (
    GUARANTEES,
    Callgrind,
    Contender,
    beside,
    guarantees,
    instructions,
    memory,
)
from tools.bench.holding import fewest_turns, hand_over, holding
from tools.bench.measured import Figure, Report
from tools.bench.stampedes import stampedes


def test_locks_are_measured_and_who_is_not_installed_is_named():
    with start() as server:
        figures = holding(server.url, turns=40, hand_overs=10, waiters=4, seconds=0.05)

    values = {one.name: one.value or 0.0 for one in figures}
    for name in ("redislua Lock", "redis-py Lock"):
        assert values[f"pairs: {name}"] > 10
        assert values[f"hand-over: {name}"] > 0
        # How even so few turns are is chance.
        assert 0 <= values[f"fewest turns: {name}"] <= 1
    (peer,) = [one for one in figures if one.name == "pairs: python-redis-lock"]
    assert peer.value or "redis_lock" in peer.missing


def test_a_hand_over_is_from_a_release_to_the_next_turn_of_another():
    lock = threading.Lock()
    held_by: list[int] = []

    @contextmanager
    def held() -> Iterator[None]:
        with lock:
            held_by.append(threading.get_ident())
            yield
            time.sleep(0.01)  # a slow release

    took = hand_over(held, 6, 4)

    assert len(took) >= 6
    assert min(took) > 0.009
    assert len(set(held_by[:4])) == 4


def test_the_waiter_that_had_fewest_turns_is_found():
    turns = {"count": 0}

    @contextmanager
    def held() -> Iterator[None]:
        turns["count"] += 1
        yield

    assert 0 <= fewest_turns(held, 50, 2) <= 25
    assert turns["count"] >= 50


def test_fetches_of_a_stampede_are_counted():
    with start() as server:
        figures = {one.name: one for one in stampedes(server.url, callers=20, hits=10)}

    values = {name: one.value or 0.0 for name, one in figures.items()}
    assert values["stampede: redislua AsyncCache"] == 1
    assert 1 <= values["failing: redislua AsyncCache"] <= 2
    assert values["hits: redislua AsyncCache"] > 0
    for peer in ("cashews, locked", "aiocache, RedLock"):
        assert figures[f"stampede: {peer}"].value or figures[f"stampede: {peer}"].missing


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="instructions need valgrind")
def test_instructions_are_those_of_the_work():
    def of(commands: int) -> Contender:
        def make(client: redis.Redis, *_: object):
            return lambda subject: [client.get(subject) for _ in range(commands)]

        return Contender(f"{commands} times GET", make)

    with Callgrind() as counted:
        one, again, four = (instructions(counted, of(count)) for count in (1, 1, 4))

    assert abs(one - again) / one < 0.1
    assert 3 < four / one < 5


def test_memory_is_that_of_all_keys_of_a_subject():
    def make(client: redis.Redis, *_: object):
        return lambda subject: [client.set(f"{subject}:{at}", "x") for at in range(3)]

    with start() as server, redis.Redis.from_url(server.url) as client:
        found = memory(server.url, Contender("three keys", make))
        (key, *_) = client.keys("*")
        assert found == pytest.approx(3 * int(client.memory_usage(key)), rel=0.2)


def test_ours_is_the_first_of_each_guarantee_and_has_a_peer():
    for contenders in GUARANTEES.values():
        assert contenders[0].name.startswith("redislua limit.")
        assert len(contenders) > 1


def test_who_promises_less_is_shown_and_is_no_peer():
    found = {
        one.name: one
        for one in beside(
            "exact log",
            "instructions",
            {
                one.name: cost
                for one, cost in zip(GUARANTEES["exact log"], (50.0, 20.0, 30.0), strict=True)
            },
            "",
        )
    }

    assert found["exact log instructions"].value is None
    assert found["exact log instructions: limits MovingWindow"].value == 20
    assert "clocks" in found["exact log instructions: limits MovingWindow"].title

    costs = {
        one.name: cost for one, cost in zip(GUARANTEES["gcra"], (50.0, 100.0, 10.0), strict=True)
    }
    ratios = {one.name: one.value for one in beside("gcra", "instructions", costs, "")}
    assert ratios["gcra instructions"] == 0.5


def test_without_valgrind_memory_alone_is_measured(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    names = {one.name for one in guarantees()}

    assert "gcra memory: redislua limit.gcra" in names
    assert not any("instructions" in name for name in names)


def test_the_goals_are_judged_by_these_figures():
    figures = [
        Figure("gcra instructions: redislua limit.gcra", "", 60.0, ""),
        Figure("gcra instructions: throttled-py gcra", "", 100.0, ""),
        Figure("hand-over ratio", "", 50.0, "x"),
    ]

    rows = {row[0]: row for row in goals.sheet(Report(figures=figures)).rows}

    assert rows["gcra, server instructions for a decision, of throttled-py's"][2:] == [
        "0.60 x",
        "yes",
    ]
    assert rows["Hand-over among 20 waiters, redis-py's, of ours"][3] == "yes"
