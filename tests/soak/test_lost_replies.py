"""Replies lost at random on clients that by themselves would send everything again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

import pytest
import redis

from redislua.runtime.call import RetryClass
from tests.rig.crowd import PATIENT, Attempt, Worker, flushing, raw
from tests.runtime.proxy import Fault, Proxy
from tests.soak.conftest import FAULTS, SETTINGS, TASKS, THREADS, Crowd, rare
from tests.soak.ledger import Ledger

Forms: TypeAlias = tuple[tuple[int, bool], ...]


FORMS = ((1, False), (1, False), (3, False), (3, True))
"""Size, and whether it is a transaction: calls alone, in batches and in transactions."""


def losing(ledger: Ledger, chance: random.Random, length: int, forms: Forms = FORMS) -> Worker:
    """Calls of some forms, now and then with little time."""
    for _ in range(length):
        size, atomic = chance.choice(forms)
        deadline = PATIENT if chance.random() < 0.9 else chance.uniform(0.0005, 0.05)
        yield from ledger.ask(Attempt(ledger.calls(size), atomic, deadline))


@pytest.mark.soak
@pytest.mark.parametrize("retry", ["never", "safe"])
@pytest.mark.parametrize("as_tasks", [False, True], ids=["threads", "tasks"])
def test_executions_are_those_that_callers_were_told_of(
    as_tasks: bool,
    retry: RetryClass,
    client: redis.Redis,
    proxy: Proxy,
    crowd: Crowd,
    soak: Callable[[int, int], int],
) -> None:
    ledger = Ledger(retry)
    number = TASKS if as_tasks else THREADS
    length = soak(600, 10_000) // len(SETTINGS) // number
    for turn in range(len(SETTINGS)):
        # Three losses of one call, one after the other, are to be seen where it is sent again.
        rate = rare(as_tasks=as_tasks) if retry == "never" else 0.4
        proxy.storm(*FAULTS[:4], rate=rate, seed=turn)
        chances = [random.Random(turn * 100 + name) for name in range(number)]
        with flushing(client, most=0.02, seed=turn):
            gang = [losing(ledger, chance, length) for chance in chances]
            crowd(proxy.url, gang, as_tasks=as_tasks, turn=turn)

    assert proxy.met_by["drop_reply"] + proxy.met_by["cut"] > 0
    executions, outcomes = ledger.audit(client), ledger.outcomes
    assert outcomes["unknown"] > 0
    if retry == "never":
        assert outcomes["replied"] <= executions <= outcomes["replied"] + outcomes["unknown"]
    else:
        assert executions > outcomes["replied"]


@pytest.mark.soak
@pytest.mark.parametrize("as_tasks", [False, True], ids=["threads", "tasks"])
def test_what_may_not_run_twice_is_not_even_sent_twice(
    as_tasks: bool,
    client: redis.Redis,
    proxy: Proxy,
    crowd: Crowd,
    soak: Callable[[int, int], int],
) -> None:
    """Nobody flushes: each EVALSHA on the wire is another call."""
    ledger = Ledger("never")
    client.script_load(ledger.script.source)
    proxy.storm(*FAULTS, rate=rare(as_tasks=as_tasks), seed=1)
    number = TASKS if as_tasks else THREADS
    length = soak(600, 10_000) // number
    gang = [
        losing(ledger, random.Random(name), length, ((1, False), (3, False)))
        for name in range(number)
    ]

    crowd(proxy.url, gang, as_tasks=as_tasks)

    outcomes = ledger.outcomes
    assert outcomes["unknown"] > 0
    assert outcomes["replied"] <= proxy.arrived <= outcomes["replied"] + outcomes["unknown"]
    ledger.audit(client)


@pytest.mark.soak
def test_a_client_that_resends_does_not_pass_the_audit(
    client: redis.Redis, proxy: Proxy, crowd: Crowd
) -> None:
    """The negative control: the same crowd on redis-py with its ten retries."""
    ledger = Ledger("never")
    client.script_load(ledger.script.source)
    proxy.storm(Fault("drop_reply"), rate=0.2, seed=1)
    gang = [losing(ledger, random.Random(name), 5) for name in range(THREADS)]

    with pytest.raises(AssertionError, match=r"ran \d+ times"):
        crowd(proxy.url, gang, as_tasks=False, how=raw)
