"""A node that takes bytes and answers nothing holds up the calls to itself alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from redislua.errors import NotExecuted, OutcomeUnknown
from redislua.runtime import Call, arun, run
from redislua.server import Cluster, ClusterNode
from tests.cluster.callers import ClusterCaller, incr, keys

GAVE_UP = (OutcomeUnknown, NotExecuted)


@pytest.fixture
def silent(patient_cluster: Cluster) -> Iterator[Callable[[], ClusterNode]]:
    """``silent()`` suspends the first node and returns it."""
    for node in patient_cluster.nodes:
        node.ask("FLUSHALL")
    node = patient_cluster.nodes[0]

    def suspend() -> ClusterNode:
        node.suspend()
        return node

    yield suspend
    node.resume()


def shared_out(cluster: Cluster) -> tuple[list[bytes], list[bytes]]:
    """Keys of the first node, and keys of the others."""
    own: list[bytes] = []
    other: list[bytes] = []
    for key in keys(60):
        (own if cluster.owner(key) is cluster.nodes[0] else other).append(key)
    return own, other


def at_once(caller: ClusterCaller, client: Any, calls: list[tuple[Call[Any], float]]) -> list[Any]:
    """Run calls with a deadline each at the same moment; return replies and exceptions."""
    if caller.is_async:

        async def gathered() -> list[Any]:
            made = (arun(client, call, deadline=deadline) for call, deadline in calls)
            return await asyncio.gather(*made, return_exceptions=True)

        return caller.wait(gathered())

    def one(pair: tuple[Call[Any], float]) -> Any:
        try:
            return run(client, pair[0], deadline=pair[1])
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def test_its_calls_end_at_their_deadline_and_the_others_are_answered(
    caller: ClusterCaller, patient_cluster: Cluster, silent: Callable[[], ClusterNode]
) -> None:
    """Half of the calls are on the silent node, and the others may take less time than those."""
    own, other = shared_out(patient_cluster)
    client = caller.open_cluster(patient_cluster)
    caller.run_many(client, *[incr(key) for key in own + other])
    silent()

    for _ in range(2):
        calls = [(incr(key, "never"), 1.0) for key in own[:3]]
        calls += [(incr(key, "safe"), 1.0) for key in own[3:6]]
        calls += [(incr(key), 0.6) for key in other[:6]]
        outcomes = at_once(caller, client, calls)
        assert all(isinstance(one, GAVE_UP) for one in outcomes[:6]), outcomes[:6]
        assert [type(one) for one in outcomes[6:]] == [int] * 6, outcomes[6:]


@pytest.mark.parametrize("opened", [True, False], ids=["connected", "not yet connected"])
def test_in_a_batch_its_calls_alone_fail(
    opened: bool,
    caller: ClusterCaller,
    patient_cluster: Cluster,
    silent: Callable[[], ClusterNode],
) -> None:
    own, other = shared_out(patient_cluster)
    client = caller.open_cluster(patient_cluster)
    caller.run_many(client, *[incr(key) for key in (own + other if opened else other)])
    silent()
    calls = [incr(key) for pair in zip(own, other, strict=False) for key in pair]

    results = caller.run_many(client, *calls, deadline=0.7, return_exceptions=True)

    assert all(isinstance(one, GAVE_UP) for one in results[::2])
    assert list(results[1::2]) == [2] * (len(results) // 2)


def test_a_client_that_starts_meanwhile_asks_another_node(
    caller: ClusterCaller, patient_cluster: Cluster, silent: Callable[[], ClusterNode]
) -> None:
    """The silent one is the first that it asks."""
    _, other = shared_out(patient_cluster)
    client = caller.open_cluster(patient_cluster)
    silent()

    assert caller.run(client, incr(other[0]), deadline=6) == 1


def test_what_it_was_sent_runs_once_when_it_goes_on(
    caller: ClusterCaller, patient_cluster: Cluster, silent: Callable[[], ClusterNode]
) -> None:
    own, _ = shared_out(patient_cluster)
    client = caller.open_cluster(patient_cluster)
    caller.run(client, incr(own[0]))
    node = silent()
    with pytest.raises(OutcomeUnknown):
        caller.run(client, incr(own[0]), deadline=0.3)

    node.resume()

    assert caller.run(client, incr(own[0]), deadline=10) == 3
