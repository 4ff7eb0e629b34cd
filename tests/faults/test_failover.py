"""Another server takes over: every form of a call lives through the same failover."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio.sentinel
import redis.sentinel

from redislua.errors import OutcomeUnknown
from redislua.runtime import Call
from redislua.server import (
    Cluster,
    Node,
    SentinelSet,
    Server,
    start_cluster,
    start_sentinel,
)
from tests.faults.forms import KINDS, PATIENT, Ended, Form, Kind, opened
from tests.faults.grounds import Ground, wait_until
from tests.faults.samples import beside, counting

SHORT = 0.3
"""Seconds: a deadline for a reply that is not to come."""

QUICK: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
"""Settings of clients that do not wait five seconds for a server that hangs to greet them."""


@dataclass
class Witness:
    """One form, its client, and what it was told.

    Attributes:
        form: Which.
        client: Its own.
        tag: Hash tag of its keys.
        told: How its calls ended, in order.
    """

    form: Form
    client: Any
    tag: str
    told: list[Ended]

    @property
    def key(self) -> bytes:
        """A counter of its own, so that all may call at the same moment."""
        return f"{{{self.tag}}}{self.form.kind}".encode()

    def call(self, deadline: float = PATIENT) -> None:
        """Call once, and keep how it ended."""
        call: Call[Any] = counting(key=self.key)
        among = beside(key=self.key + b":beside")
        self.told.append(self.form.end(self.client, call, among=among, deadline=deadline))


class Crowd:
    """All forms at once, each in a thread.

    Attributes:
        by_kind: The witnesses.
        tag: Hash tag of all keys.
    """

    def __init__(
        self, stack: contextlib.ExitStack, connect: Callable[[Form], Any], tag: str
    ) -> None:
        self.tag = tag
        self.by_kind: dict[Kind, Witness] = {}
        for kind in KINDS:
            form = stack.enter_context(opened(kind, stack.enter_context(asyncio.Runner())))
            self.by_kind[kind] = Witness(form, form.take(connect(form)), tag, [])

    def call(self, deadline: float = PATIENT) -> None:
        """Have each call once, all at the same moment."""
        with ThreadPoolExecutor(len(self.by_kind)) as threads:
            list(threads.map(lambda one: one.call(deadline), self.by_kind.values()))

    def executions(self, primary: Node) -> dict[str, int]:
        """How often each one's call was executed, as the primary has it."""
        return {
            str(kind): int(primary.ask("GET", one.key.decode()) or 0)
            for kind, one in self.by_kind.items()
        }

    def each(self, value: Any) -> dict[str, Any]:
        """The same for every form."""
        return {str(kind): value for kind in self.by_kind}

    def own(self, turn: int) -> dict[str, Any]:
        """How each one's call ended."""
        return {str(kind): one.told[turn].own for kind, one in self.by_kind.items()}

    def assert_two_replies(self) -> None:
        """Two calls of each were answered, and so were those beside them."""
        assert (self.own(0), self.own(1)) == (self.each(1), self.each(2))
        for one in self.by_kind.values():
            besides = [ended.beside for ended in one.told]
            assert besides == [one.form.beside(1, 2), one.form.beside(3, 4)]


Began = Callable[[Callable[[Form], Any], str], Crowd]


@pytest.fixture
def begun() -> Iterator[Began]:
    """Open all forms; they are closed at the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda connect, tag: Crowd(stack, connect, tag)


def watched(of: SentinelSet) -> Callable[[Form], Any]:
    """Clients that ask the sentinels who the primary is."""

    def connect(form: Form) -> Any:
        package: Any = redis.asyncio.sentinel if form.kind.is_async else redis.sentinel
        asking = package.Sentinel(of.sentinels, sentinel_kwargs=QUICK, **QUICK)
        for one in asking.sentinels:
            form.caller.keep(one)
        return asking.master_for(of.name)

    return connect


def in_cluster(cluster: Cluster) -> Callable[[Form], Any]:
    """Clients of a whole cluster."""
    ground = Ground(cluster)
    ground.close()
    return lambda form: ground.open(form.kind.is_async, **QUICK)


def acknowledge(primary: Node, tag: str) -> None:
    """Wait until all replicas have what was written: a failover may lose the rest (row 11)."""
    with primary.connected() as client:
        client.set(f"{{{tag}}}acknowledged", "")
        wait_until(lambda: 0 < client.info("replication")["connected_slaves"] <= wait(client))


def wait(client: redis.Redis) -> int:
    """How many replicas have what this client wrote."""
    return int(client.wait(9, 50))


# --- planned ----------------------------------------------------------------------------------


def test_a_failover_that_sentinels_planned_costs_no_call(server: Server, begun: Began) -> None:
    """Rows 6 and 8: the new primary lacks the scripts, and nobody notices."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_sentinel(server.kind) as of:
        crowd = begun(watched(of), "sample")
        crowd.call()
        first = of.primary()

        of.watchers[0].ask("SENTINEL FAILOVER", of.name)
        wait_until(lambda: of.primary() is not first and obeys(first))
        crowd.call()

        crowd.assert_two_replies()
        assert crowd.executions(of.primary()) == crowd.each(2)


def obeys(old: Node) -> bool:
    """Whether an old primary has become a replica: before, it takes writes that will be lost."""
    with contextlib.suppress(redis.ConnectionError):  # it hangs up as it changes
        return bool(old.ask("ROLE")[0] == "slave")
    return False


def test_a_failover_that_a_cluster_planned_costs_no_call(cluster: Cluster, begun: Began) -> None:
    """Row 6: MOVED to a node that was a replica, and lacks the scripts."""
    crowd = begun(in_cluster(cluster), "sample")
    crowd.call()

    [replica] = cluster.replicas_of(cluster.owner("{sample}"))
    replica.ask("CLUSTER FAILOVER")
    wait_until(lambda: cluster.owner("{sample}") is replica)
    crowd.call()

    crowd.assert_two_replies()
    assert crowd.executions(replica) == crowd.each(2)
    cluster.await_ready()


# --- a primary dies, then another hangs -------------------------------------------------------


def test_primaries_that_fail_under_sentinels(server: Server, begun: Began) -> None:
    """Rows 7 and 10."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_sentinel(server.kind, replicas=2) as of:
        dies(begun(watched(of), "sample"), of.primary)
        hangs(begun(watched(of), "held"), of.primary)


def test_primaries_that_fail_in_a_cluster(server: Server, begun: Began) -> None:
    """Rows 7 and 10."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_cluster(server.kind) as cluster:
        first = cluster.owner("{sample}")
        tags = (f"held{number}" for number in range(100))
        tag = next(one for one in tags if cluster.owner(f"{{{one}}}") is not first)
        dies(begun(in_cluster(cluster), "sample"), lambda: cluster.owner("{sample}"))
        hangs(begun(in_cluster(cluster), tag), lambda: cluster.owner(f"{{{tag}}}"))


def dies(crowd: Crowd, primary: Callable[[], Node]) -> None:
    """Row 7: nothing is sent while nobody serves, so ``never`` may wait; it runs once."""
    crowd.call()
    first = primary()
    acknowledge(first, crowd.tag)

    first.kill()
    crowd.call()

    crowd.assert_two_replies()
    assert crowd.executions(primary()) == crowd.each(2)


def hangs(crowd: Crowd, primary: Callable[[], Node]) -> None:
    """Row 10: what was sent may have run; the next call goes to the successor."""
    crowd.call()
    first = primary()
    acknowledge(first, crowd.tag)

    first.suspend()
    crowd.call(SHORT)
    crowd.call()

    assert {str(kind): type(one.told[1].own) for kind, one in crowd.by_kind.items()} == crowd.each(
        OutcomeUnknown
    )
    for one in crowd.by_kind.values():
        assert [type(end) for end in one.told[1].beside] == [OutcomeUnknown] * one.form.neighbours
    assert crowd.own(2) == crowd.executions(primary()) == crowd.each(2)
    first.resume()
