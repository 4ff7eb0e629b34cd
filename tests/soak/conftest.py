"""A faulty network, and crowds of workers on clients with redis-py's default of ten retries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, TypeAlias

import pytest
import redis

from tests.rig.crowd import Perform, Worker, in_tasks, in_threads, perform
from tests.runtime.callers import Caller
from tests.runtime.proxy import Fault

__all__ = ["FAULTS", "SETTINGS", "TASKS", "THREADS", "Crowd", "rare"]

THREADS, TASKS = 12, 50
"""More threads than get a connection each, and more tasks than any."""

# A pattern of EVAL meets EVALSHA, EVAL and EVALSHA_RO: every form of a call. The last two
# lose nothing.
FAULTS = (
    Fault("drop_reply", b"EVAL"),
    Fault("cut", b"EVAL", amount=2),
    Fault("cut", b"EVAL", amount=9),
    Fault("reset", b"EVAL"),
    Fault("delay", b"EVAL", amount=0.003),
    Fault("delay", b"EVAL", amount=0.02),
)


def rare(*, as_tasks: bool) -> float:
    """How often a write meets a fault. Those of tasks are few: each carries many calls."""
    return 0.15 if as_tasks else 0.08


SETTINGS: list[dict[str, Any]] = [
    {"protocol": protocol, "decode_responses": decoded}
    for protocol, decoded in product((2, 3), (False, True))
]
"""What a caller may choose, and what no reply may depend on."""

Crowd: TypeAlias = Callable[..., None]


@pytest.fixture
def crowd(runner: asyncio.Runner, client: redis.Redis) -> Crowd:
    """``crowd(url, workers, as_tasks=…)`` runs workers on one client of their own.

    ``turn`` counts the clients' settings through; ``how`` is for threads alone.
    """

    def run(
        url: str,
        workers: Sequence[Worker],
        *,
        as_tasks: bool,
        turn: int = 0,
        how: Perform = perform,
    ) -> None:
        caller = Caller(is_async=as_tasks, runner=runner)
        own = caller.open(url, **SETTINGS[turn % len(SETTINGS)])
        try:
            if as_tasks:
                caller.wait(in_tasks(own, workers))
            else:
                in_threads(own, workers, how)
        finally:
            caller.close()

    return run
