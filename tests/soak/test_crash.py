"""A server killed again and again, which keeps what it acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from redislua.runtime.call import RetryClass
from redislua.server import Server
from redislua.server.node import Node, program, start_all
from tests.rig.crowd import PATIENT, Attempt, Worker
from tests.soak.conftest import SETTINGS, THREADS, Crowd
from tests.soak.ledger import Ledger

DURABLE = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
"""An answer leaves the server after what it did is on the disk."""


@pytest.fixture
def durable(server: Server) -> Iterator[Node]:
    """A server of the session's kind that keeps on the disk what it acknowledged."""
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be killed")
    of = program(server.kind, "node")
    (opened,) = start_all(1, lambda: Node(of, DURABLE))
    yield opened
    opened.stop()


def kill_again_and_again(node: Node, times: int, seed: int, done: threading.Event) -> None:
    """Kill -9 a server at random moments and start it again; say when the last one is over."""
    chance = random.Random(seed)
    try:
        for _ in range(times):
            time.sleep(chance.uniform(0.05, 0.15))
            node.kill()
            time.sleep(chance.uniform(0, 0.3))
            node.restart()
    finally:
        done.set()


def going_on(ledger: Ledger, chance: random.Random, done: threading.Event) -> Worker:
    """Calls of every form until the last kill is over.

    Some have less time than the server is gone for: a reply lost and then a refusal.
    """
    while not done.is_set():
        size, atomic = chance.choice([(1, False), (1, False), (3, False), (3, True)])
        deadline = PATIENT if chance.random() < 0.5 else chance.uniform(0.1, 0.4)
        yield from ledger.ask(Attempt(ledger.calls(size), atomic, deadline))


@pytest.mark.soak
@pytest.mark.parametrize("retry", ["never", "safe"])
@pytest.mark.parametrize("as_tasks", [False, True], ids=["threads", "tasks"])
def test_a_kill_undoes_nothing_that_was_acknowledged(
    as_tasks: bool,
    retry: RetryClass,
    durable: Node,
    crowd: Crowd,
    soak: Callable[[int, int], int],
) -> None:
    ledger, times = Ledger(retry), soak(2, 25)
    for turn in range(len(SETTINGS)):
        done = threading.Event()
        chances = [random.Random(turn * 100 + name) for name in range(THREADS)]
        with ThreadPoolExecutor(1) as threads:
            kills = threads.submit(kill_again_and_again, durable, times, turn, done)
            gang = [going_on(ledger, chance, done) for chance in chances]
            crowd(durable.url, gang, as_tasks=as_tasks, turn=turn)
            kills.result()

    with redis.Redis.from_url(durable.url) as client:
        executions, outcomes = ledger.audit(client), ledger.outcomes
    assert outcomes["unknown"] > 0
    assert outcomes["not executed"] > 0
    assert executions >= outcomes["replied"]
    if retry == "never":
        assert executions <= outcomes["replied"] + outcomes["unknown"]
