"""Slots on the move, and reads from replicas."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import redis
import valkey
from redis.crc import key_slot

from redislua.bindings import limit
from redislua.errors import NotExecuted, ServerLoading
from redislua.runtime import Call
from redislua.server import Cluster, ClusterNode
from tests.cluster.callers import ClusterCaller, forget_stats, get, incr, keys, seen
from tests.rig import migration
from tests.runtime.samples import script

TAG = b"{moving}"
SLOT = key_slot(TAG)


@pytest.fixture
def source(cluster: Cluster) -> ClusterNode:
    """Who has the slot."""
    return cluster.owner(SLOT)


@pytest.fixture
def target(cluster: Cluster, source: ClusterNode) -> ClusterNode:
    """Who gets it."""
    return next(node for node in cluster.primaries() if node is not source)


def atomically(caller: ClusterCaller, client: Any, *calls: Call[Any], **options: Any) -> Any:
    return caller.run_many(client, *calls, atomic=True, **options)


def one_by_one(caller: ClusterCaller, client: Any, *calls: Call[Any], **options: Any) -> Any:
    return tuple(caller.run(client, call, **options) for call in calls)


def together(caller: ClusterCaller, client: Any, *calls: Call[Any], **options: Any) -> Any:
    return caller.run_many(client, *calls, **options)


FORMS = pytest.mark.parametrize("form", [one_by_one, together, atomically])
Form = Callable[..., Any]


def counts(node: ClusterNode, *, moving: bool = False) -> Any:
    """The counter as one node has it."""
    with node.connected() as client, client.pipeline(transaction=False) as pipe:
        queue: Any = pipe.execute_command
        if moving:
            queue("ASKING")
        pipe.get(TAG)
        return pipe.execute()[-1]


@FORMS
def test_a_slot_that_moved_is_found_and_the_script_brought_along(
    form: Form, caller: ClusterCaller, cluster: Cluster, source: ClusterNode, target: ClusterNode
) -> None:
    client = caller.open_cluster(cluster)
    assert form(caller, client, incr(TAG), incr(TAG)) == (1, 2)
    migration.move(cluster, SLOT, target)
    forget_stats(cluster.nodes)

    assert form(caller, client, incr(TAG), incr(TAG)) == (3, 4)
    moved = sum(seen([source], "evalsha"))
    assert form(caller, client, incr(TAG), incr(TAG)) == (5, 6)

    assert seen([source], "evalsha") == [moved], "the move was learnt"
    assert counts(target) == "6"


@FORMS
@pytest.mark.parametrize("state", ["before", "after"])
def test_calls_on_a_moving_slot_follow_their_keys(
    form: Form,
    state: str,
    caller: ClusterCaller,
    cluster: Cluster,
    source: ClusterNode,
    target: ClusterNode,
) -> None:
    """The importing node lacks the script, too: it is loaded there, before ASKING."""
    client = caller.open_cluster(cluster)
    assert form(caller, client, incr(TAG)) == (1,)
    migration.begin(cluster, SLOT, source, target)
    if state == "after":
        migration.move_keys(SLOT, source, target)
    forget_stats(cluster.nodes)

    assert form(caller, client, incr(TAG)) == (2,)
    assert form(caller, client, incr(TAG), incr(TAG)) == (3, 4)

    assert seen([source, target], "incr") == ([3, 0] if state == "before" else [0, 3])
    assert counts(target if state == "after" else source, moving=state == "after") == "4"
    migration.move_keys(SLOT, source, target)
    migration.finish(cluster, SLOT, source, target)
    assert form(caller, client, incr(TAG)) == (5,)


@FORMS
def test_new_keys_of_a_moving_slot_are_made_where_it_goes(
    form: Form, caller: ClusterCaller, cluster: Cluster, source: ClusterNode, target: ClusterNode
) -> None:
    client = caller.open_cluster(cluster)
    migration.begin(cluster, SLOT, source, target)

    assert form(caller, client, incr(TAG + b"new"), incr(TAG + b"new")) == (1, 2)

    assert source.ask("CLUSTER COUNTKEYSINSLOT", SLOT) == 0
    assert target.ask("CLUSTER COUNTKEYSINSLOT", SLOT) == 1
    migration.finish(cluster, SLOT, source, target)


def both(retry: Any = "never") -> Call[list[int]]:
    """A call on two keys of the slot."""
    body = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
    return Call(script(body, retry=retry), (TAG + b"1", TAG + b"2"), (), decode=list)


@FORMS
def test_keys_that_are_on_both_sides_of_a_move_are_waited_for(
    form: Form, caller: ClusterCaller, cluster: Cluster, source: ClusterNode, target: ClusterNode
) -> None:
    """TRYAGAIN: neither side has both keys."""
    client = caller.open_cluster(cluster)
    assert form(caller, client, both()) == ([1, 1],)
    migration.begin(cluster, SLOT, source, target)
    assert migration.move_keys(SLOT, source, target, limit=1) == 1

    with pytest.raises(ServerLoading) as raised:
        form(caller, client, both(), deadline=0.3)
    assert raised.value.code == "TRYAGAIN"
    rest = threading.Timer(0.2, lambda: migration.move_keys(SLOT, source, target))
    rest.start()
    assert form(caller, client, both(), deadline=20) == ([2, 2],)

    rest.join()
    migration.finish(cluster, SLOT, source, target)
    assert form(caller, client, both()) == ([3, 3],)


@pytest.mark.parametrize("moved", [False, True], ids=["moving", "moved"])
def test_a_slot_can_move_to_a_primary_that_serves_no_other(
    moved: bool, runner: asyncio.Runner, private_cluster: Cluster
) -> None:
    """How a cluster grows. Clients that knew it before meet a node that they never heard of."""
    cluster = private_cluster
    source = cluster.owner(SLOT)
    [newcomer] = cluster.replicas_of(source)
    # Both drivers here: a cluster for each would take longer than all else.
    callers = [ClusterCaller(is_async=is_async, runner=runner) for is_async in (False, True)]
    clients = [(caller, caller.open_cluster(cluster)) for caller in callers]
    assert [caller.run(client, incr(TAG)) for caller, client in clients] == [1, 2]
    migration.make_empty_primary(cluster, newcomer)
    migration.begin(cluster, SLOT, source, newcomer)
    migration.move_keys(SLOT, source, newcomer)
    if moved:
        for node in (newcomer, source):
            node.ask("CLUSTER SETSLOT", SLOT, "NODE", newcomer.id)
    forget_stats(cluster.nodes)

    assert [caller.run(client, incr(TAG), deadline=20) for caller, client in clients] == [3, 4]
    assert [caller.run(client, incr(TAG), deadline=20) for caller, client in clients] == [5, 6]

    assert seen([source, newcomer], "incr") == [0, 4]
    for caller in callers:
        caller.close()


# --- replicas --------------------------------------------------------------------------------


def replicated(cluster: Cluster, key: bytes, value: str) -> None:
    """Write a key and wait until its replica has it."""
    with cluster.owner(key).connected() as writer:
        writer.set(key, value)
        assert writer.wait(1, 5000) == 1


STRATEGY = redis.cluster.LoadBalancingStrategy
ALONE: dict[str, Any] = {"load_balancing_strategy": STRATEGY.ROUND_ROBIN_REPLICAS}
READS: dict[str, tuple[ModuleType, dict[str, Any]]] = {
    "replicas alone": (redis, ALONE),
    "any of them": (redis, {"load_balancing_strategy": STRATEGY.RANDOM}),
    "as valkey-py says it": (valkey, {"read_from_replicas": True}),
}


@pytest.mark.parametrize("mode", READS)
def test_reads_are_served_by_replicas_and_writes_by_primaries(
    mode: str, caller: ClusterCaller, cluster: Cluster
) -> None:
    library, options = READS[mode]
    client = caller.open_cluster(cluster, library=library, **options)
    some = keys(30)
    for number, key in enumerate(some):
        replicated(cluster, key, str(number))
    primaries = cluster.primaries()
    replicas = [one for node in primaries for one in cluster.replicas_of(node)]
    forget_stats(cluster.nodes)

    for _ in range(4):
        read = [caller.run(client, get(key)) for key in some]
        assert read == [b"%d" % number for number in range(30)]

    assert min(seen(replicas, "get")) > 0
    by_primaries = sum(seen(primaries, "get"))
    assert (by_primaries == 0) is (mode == "replicas alone")
    assert by_primaries + sum(seen(replicas, "get")) == 120
    assert all(not failed for failed in seen(cluster.nodes, "evalsha"))
    assert caller.run(client, incr(b"counter")) == 1


def test_a_replica_without_the_script_is_healed_itself(
    caller: ClusterCaller, cluster: Cluster
) -> None:
    client = caller.open_cluster(cluster, **ALONE)
    [replica] = cluster.replicas_of(cluster.owner(b"k"))
    replicated(cluster, b"k", "v")
    caller.run(client, get(b"other"))
    forget_stats(cluster.nodes)

    others = [node for node in cluster.nodes if node is not replica]
    for least in (1, 2, 3):
        replica.ask("SCRIPT FLUSH")
        assert caller.run(client, get(b"k")) == b"v"
        assert caller.run_many(client, get(b"k"), get(b"k")) == (b"v", b"v")
        assert seen([replica], "script|load")[0] >= least
    assert seen(others, "script|load") == [0] * 5
    assert seen(others, "get") == [0] * 5


def test_warm_loads_on_the_replicas_that_are_read_from(
    caller: ClusterCaller, cluster: Cluster
) -> None:
    client = caller.open_cluster(cluster, **ALONE)

    digests = caller.warm(client, limit)

    for node in cluster.nodes:
        known: Any = node.ask("SCRIPT EXISTS", *digests)
        assert all(known), node


def test_a_transaction_of_reads_is_served_wherever_it_goes(
    caller: ClusterCaller, cluster: Cluster
) -> None:
    client = caller.open_cluster(cluster, **ALONE)
    replicated(cluster, b"k", "v")

    assert caller.run_many(client, get(b"k"), get(b"k"), atomic=True) == (b"v", b"v")


def test_a_dead_replica_is_replaced_by_its_primary_and_a_dead_pair_by_nobody(
    caller: ClusterCaller, private_cluster: Cluster
) -> None:
    """Of a slot that nobody serves, a call ends at its deadline, as not executed."""
    cluster = private_cluster
    client = caller.open_cluster(cluster, **ALONE)
    primary = cluster.owner(b"k")
    [replica] = cluster.replicas_of(primary)
    replicated(cluster, b"k", "v")
    assert caller.run(client, get(b"k")) == b"v"

    replica.kill()

    assert [caller.run(client, get(b"k")) for _ in range(5)] == [b"v"] * 5
    primary.kill()
    for call in (get(b"k"), incr(b"k")):
        with pytest.raises(NotExecuted):
            caller.run(client, call, deadline=0.5)
    alive = next(key for key in keys(9) if cluster.owner(key) is not primary)
    assert [caller.run(client, incr(alive)) for _ in range(3)] == [1, 2, 3]
