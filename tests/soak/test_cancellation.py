"""Tasks cancelled at random moments, among others that are not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import redis

from redislua.server import Server
from tests.rig.crowd import PATIENT, Attempt, Worker
from tests.soak.conftest import SETTINGS, TASKS, Crowd
from tests.soak.ledger import Ledger


def fickle(ledger: Ledger, chance: random.Random, goal: int, most: int) -> Worker:
    """Attempts, some given up early and some given little time, until enough were cancelled."""
    for _ in range(most):
        if ledger.cancelled >= goal:
            return
        size, atomic = chance.choice([(1, False), (1, False), (3, False), (3, True)])
        deadline = PATIENT if chance.random() < 0.9 else chance.uniform(0.0005, 0.02)
        cancel_after = chance.uniform(0, 0.004) if chance.random() < 0.5 else None
        yield from ledger.ask(Attempt(ledger.calls(size), atomic, deadline, cancel_after))


@pytest.mark.soak
def test_cancelled_tasks_take_no_reply_from_others(
    server: Server, client: redis.Redis, crowd: Crowd, soak: Callable[[int, int], int]
) -> None:
    ledger, goal = Ledger(), soak(300, 10_000)
    for turn in range(len(SETTINGS)):
        so_far = goal * (turn + 1) // len(SETTINGS)
        chances = [random.Random(turn * 100 + name) for name in range(TASKS)]
        gang = [fickle(ledger, chance, so_far, goal) for chance in chances]
        crowd(server.url, gang, as_tasks=True, turn=turn)

    assert ledger.cancelled >= goal
    assert ledger.outcomes["replied"] > goal
    executions, replied = ledger.audit(client), ledger.outcomes["replied"]
    assert replied <= executions <= replied + ledger.outcomes["unknown"]
