"""Histories recorded under faults, and the same through redis-py's own retries."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
import redis

from tests.rig.crowd import Perform, Worker, flushing, perform, raw
from tests.rig.history import History
from tests.rig.linearizability import check
from tests.runtime.proxy import Fault, Proxy
from tests.soak.conftest import FAULTS, TASKS, THREADS, Crowd, rare
from tests.soak.objects import COUNTER, SUBJECTS, Subject


def workers(history: History, subject: Subject, seed: int, *, as_tasks: bool) -> list[Worker]:
    """The workers of one run; all of their choices follow from the seed."""
    chance = random.Random(seed)
    number, length = (TASKS, 4) if as_tasks else (THREADS, 10)
    key = f"{{{subject}.{seed}}}".encode()
    return [
        history.watch(subject.steps(random.Random(chance.random()), f"w{name}", key, length))
        for name in range(number)
    ]


@pytest.mark.soak
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_histories_under_faults_are_linearizable(
    subject: Subject,
    client: redis.Redis,
    proxy: Proxy,
    crowd: Crowd,
    soak: Callable[[int, int], int],
) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(soak(12, 200)):
        history, as_tasks = History(), bool(seed % 2)
        proxy.storm(*FAULTS, rate=rare(as_tasks=as_tasks), seed=seed)
        with flushing(client, most=0.02, seed=seed):
            gang = workers(history, subject, seed, as_tasks=as_tasks)
            crowd(proxy.url, gang, as_tasks=as_tasks, turn=seed // 2)
        verdict = check(subject.model, history.operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"
        outcomes += history.outcomes

    # A storm that nobody noticed proves nothing.
    assert min(proxy.met_by[fault.name] for fault in FAULTS) > 0
    assert min(outcomes[kind] for kind in ("replied", "unknown", "not executed")) > 0


@pytest.mark.soak
def test_the_same_crowd_on_redis_py_itself_is_found_out(
    client: redis.Redis, proxy: Proxy, crowd: Crowd, soak: Callable[[int, int], int]
) -> None:
    """The negative control: with ten retries, a lost reply counts twice in each run."""
    for seed in range(soak(3, 20)):
        history = History()
        proxy.storm(Fault("drop_reply"), rate=0.2, seed=seed)
        with flushing(client, most=0.02, seed=seed):
            gang = workers(history, COUNTER, seed, as_tasks=False)
            crowd(proxy.url, gang, as_tasks=False, turn=seed, how=raw)

        assert not check(COUNTER.model, history.operations).linearizable, f"seed {seed}"
        assert set(history.outcomes) == {"replied"}


@pytest.mark.soak
@pytest.mark.parametrize(("how", "expected"), [(perform, True), (raw, False)])
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_one_worker_tells_a_client_that_resends_from_one_that_does_not(
    subject: Subject, how: Perform, expected: bool, client: redis.Redis, proxy: Proxy, crowd: Crowd
) -> None:
    """Nobody else is there: what a lost reply does to the next answers is certain."""
    history, key = History(), f"{{lone.{subject}}}".encode()
    proxy.storm(Fault("drop_reply"), rate=0.4, seed=1)
    steps = subject.steps(random.Random(1), "w", key, 12)

    crowd(proxy.url, [history.watch(steps)], as_tasks=False, how=how)

    assert proxy.met > 2
    assert check(subject.model, history.operations).linearizable is expected
