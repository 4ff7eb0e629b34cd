"""SCRIPT FLUSH in a loop: no caller ever learns of it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import redis

from redislua.server import Server
from tests.rig.crowd import Attempt, Worker, flushing
from tests.soak.conftest import SETTINGS, Crowd
from tests.soak.ledger import Ledger


def storming(ledger: Ledger, chance: random.Random, total: int) -> Worker:
    """Calls alone, in batches and in transactions."""
    made = 0
    while made < total:
        size, atomic = chance.choice([(1, False), (1, False), (3, False), (3, True)])
        yield from ledger.ask(Attempt(ledger.calls(size), atomic))
        made += size


def unknown_scripts(client: redis.Redis) -> int:
    """How often the server has answered NOSCRIPT."""
    return int(client.info("errorstats").get("errorstat_NOSCRIPT", {"count": 0})["count"])


@pytest.mark.soak
@pytest.mark.parametrize(
    ("as_tasks", "number"), [(False, 8), (False, 16), (True, 8), (True, 50)], ids=str
)
def test_no_caller_meets_a_script_that_was_flushed(
    as_tasks: bool,
    number: int,
    server: Server,
    client: redis.Redis,
    crowd: Crowd,
    soak: Callable[[int, int], int],
) -> None:
    ledger, before = Ledger(), unknown_scripts(client)
    share = soak(2_000, 100_000) // len(SETTINGS) // number
    with flushing(client):
        for turn in range(len(SETTINGS)):
            gang = [storming(ledger, random.Random(turn * 100 + n), share) for n in range(number)]
            crowd(server.url, gang, as_tasks=as_tasks, turn=turn)

    assert set(ledger.outcomes) == {"replied"}
    assert ledger.audit(client) == ledger.outcomes["replied"]
    assert unknown_scripts(client) > before
