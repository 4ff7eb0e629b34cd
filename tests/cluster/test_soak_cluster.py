"""Calls on a cluster whose slots move, and whose primaries die: none wrong, none twice.

Replication is asynchronous: a primary that dies takes writes along that it had
acknowledged. So after a kill -9 an acknowledged call may be gone, and never doubled.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from redislua.runtime import Call
from redislua.runtime.call import RetryClass
from redislua.server import Cluster
from tests.cluster.callers import ClusterCaller
from tests.cluster.plans import key_of
from tests.rig import migration
from tests.rig.crowd import Attempt, Worker, in_tasks, in_threads
from tests.soak.ledger import Ledger
from tests.surfaces import seeds

SLOTS = tuple(range(0, 16384, 1366))
"""Twelve slots, four of each primary."""

WORKERS = 10


class SpreadLedger(Ledger):
    """Calls on keys of many slots, and what became of them.

    Attributes:
        executed: After the audit: how often each argument was executed.
    """

    def __init__(self, retry: RetryClass, slots: Sequence[int] = SLOTS) -> None:
        super().__init__(retry)
        self._keys = [key_of(slot) + b":" + retry.encode() for slot in slots]
        self._numbers = itertools.count()
        self.executed: dict[bytes, int] = {}

    def calls_on(self, *keys: bytes) -> tuple[Call[Any], ...]:
        """Calls that nobody has made before, on these keys."""
        return tuple(
            Call(self.script, (key,), (b"%d" % next(self._numbers),), decode=tuple) for key in keys
        )

    def attempt(self, chance: random.Random, deadline: float) -> Attempt:
        """One call, a batch over several nodes, or a transaction."""
        form = chance.choice(["one", "one", "batch", "atomic"])
        if form == "one":
            return Attempt(self.calls_on(chance.choice(self._keys)), deadline=deadline)
        if form == "batch":
            return Attempt(self.calls_on(*chance.sample(self._keys, 6)), deadline=deadline)
        return Attempt(self.calls_on(*[chance.choice(self._keys)] * 3), True, deadline)

    def audit_all(self, cluster: Cluster, *, lossy: bool = False) -> None:
        """Compare each call with its executions.

        Args:
            cluster: In order again.
            lossy: What was acknowledged may be gone.
        """
        with redis.RedisCluster(startup_nodes=seeds(cluster.addresses)) as client:
            for key in self._keys:
                found: Any = client.hgetall(key)
                self.executed.update({argument: int(times) for argument, times in found.items()})
        wrong = []
        for argument, told in self._told.items():
            times, allowed = self.executed.get(argument, 0), self._allowed[told]
            if times not in allowed and not (lossy and times == 0):
                wrong.append(f"{argument!r} was {told}, and executed {times} times")
        assert not wrong, wrong
        assert self.executed.keys() <= self._told.keys(), "something ran that nobody had called"


def working(ledger: SpreadLedger, seed: int, deadline: float, done: threading.Event) -> Worker:
    """Calls of every form until the last fault is over, and some more."""
    chance = random.Random(seed)
    while not done.is_set():
        yield from ledger.ask(ledger.attempt(chance, deadline))
    for _ in range(3):
        yield from ledger.ask(ledger.attempt(chance, 30.0))


def moving(cluster: Cluster, times: int, seed: int) -> None:
    """Move slots to other primaries, one after another."""
    chance = random.Random(seed)
    for _ in range(times):
        slot = chance.choice(SLOTS)
        owner = cluster.owner(slot)
        migration.move(
            cluster, slot, chance.choice([one for one in cluster.primaries() if one is not owner])
        )


def killing(cluster: Cluster, times: int, seed: int) -> None:
    """Kill primaries, one after another, each once the cluster has recovered from the last."""
    chance = random.Random(seed)
    for _ in range(times):
        time.sleep(chance.uniform(0.1, 0.4))
        slot = chance.choice(SLOTS)
        owner = cluster.owner(slot)
        owner.kill()
        patience = threading.Event()
        while cluster.owner(slot) is owner:
            patience.wait(0.02)
        owner.restart()
        cluster.await_ready()


@pytest.fixture(params=["threads", "tasks"])
def crowd(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Callable[..., None]]:
    """``crowd(cluster, workers, fault)`` runs workers on one client until a fault is over."""
    caller = ClusterCaller(is_async=request.param == "tasks", runner=runner)

    def run(
        cluster: Cluster,
        worker: Callable[[int, threading.Event], Worker],
        fault: Callable[[], None],
    ) -> None:
        client = caller.open_cluster(cluster)
        done = threading.Event()

        def befall() -> None:
            try:
                fault()
            finally:
                done.set()

        with ThreadPoolExecutor(1) as threads:
            befalling = threads.submit(befall)
            gang = [worker(seed, done) for seed in range(WORKERS)]
            if caller.is_async:
                caller.wait(in_tasks(client, gang))
            else:
                in_threads(client, gang)
            befalling.result()

    yield run
    caller.close()


@pytest.mark.soak
def test_while_slots_move_every_call_is_answered_and_runs_once(
    crowd: Callable[..., None], cluster: Cluster, soak: Callable[[int, int], int]
) -> None:
    """Nothing is lost while a slot moves, so not even a ``safe`` call is sent again."""
    ledgers, times = (SpreadLedger("never"), SpreadLedger("safe")), soak(4, 100)

    crowd(
        cluster,
        lambda seed, done: working(ledgers[seed % 2], seed, 30.0, done),
        lambda: moving(cluster, times, seed=times),
    )

    for ledger in ledgers:
        ledger.audit_all(cluster)
        assert set(ledger.outcomes) == {"replied"}
        assert set(ledger.executed.values()) == {1}


@pytest.mark.soak
def test_when_primaries_die_no_call_runs_twice_and_no_reply_is_wrong(
    crowd: Callable[..., None], private_cluster: Cluster, soak: Callable[[int, int], int]
) -> None:
    """Some wait until a replica has taken over, and others give up before."""
    ledgers, times = (SpreadLedger("never"), SpreadLedger("safe")), soak(1, 15)

    crowd(
        private_cluster,
        lambda seed, done: working(ledgers[seed % 2], seed, (0.5, 10.0)[seed // 2 % 2], done),
        lambda: killing(private_cluster, times, seed=times),
    )

    for ledger in ledgers:
        ledger.audit_all(private_cluster, lossy=True)
        assert ledger.outcomes["replied"] > 0
    assert set(ledgers[0].executed.values()) == {1}, "never sent twice"
