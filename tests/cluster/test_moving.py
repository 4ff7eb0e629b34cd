"""Slots on the move, scripts that make redirections up, and reads from replicas."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import redis
import valkey
from redis.crc import key_slot

from redislua.bindings import limit
from redislua.errors import CallError, NotExecuted, ServerLoading
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
        form(caller, client, both(), deadline=0.5)
    assert raised.value.code == "TRYAGAIN"
    rest = threading.Timer(0.2, lambda: migration.move_keys(SLOT, source, target))
    rest.start()
    assert form(caller, client, both(), deadline=20) == ([2, 2],)

    rest.join()
    migration.finish(cluster, SLOT, source, target)
    assert form(caller, client, both()) == ([3, 3],)


@pytest.mark.parametrize("moved", [False, True])
def test_a_slot_can_move_to_a_primary_that_serves_no_other(
    caller: ClusterCaller, private_cluster: Cluster, moved: bool
) -> None:
    """How a cluster grows. CLUSTER SLOTS names the new node when it has its first slot."""
    cluster = private_cluster
    source = cluster.owner(SLOT)
    client = caller.open_cluster(cluster)
    assert caller.run(client, incr(TAG)) == 1
    [newcomer] = cluster.replicas_of(source)
    become_empty_primary(cluster, newcomer)
    newcomer.ask("CLUSTER SETSLOT", SLOT, "IMPORTING", source.id)
    source.ask("CLUSTER SETSLOT", SLOT, "MIGRATING", newcomer.id)
    migration.move_keys(SLOT, source, newcomer)

    if moved:
        for node in (newcomer, source):
            node.ask("CLUSTER SETSLOT", SLOT, "NODE", newcomer.id)

    assert caller.run(client, incr(TAG), deadline=5) == 2


def become_empty_primary(cluster: Cluster, node: ClusterNode) -> None:
    """Have a replica forget whose it was, and join again with nothing."""
    node.ask("CLUSTER RESET", "SOFT")
    other = next(one for one in cluster.nodes if one is not node)
    node.ask("CLUSTER MEET", other.host, other.port)
    pause = threading.Event()
    for _ in range(500):
        views = [one.ask("CLUSTER NODES") for one in cluster.nodes]
        if all(_is_primary(view, node) for view in views) and _knows(views, len(cluster.nodes)):
            return
        pause.wait(0.02)
    raise AssertionError(f"{node} did not join: {views}")


def _is_primary(view: Any, node: ClusterNode) -> bool:
    return any(
        one["node_id"] == node.id and "master" in one["flags"] and "handshake" not in one["flags"]
        for one in view.values()
    )


def _knows(views: list[Any], number: int) -> bool:
    return all(len(view) == number for view in views)


# --- what scripts make up --------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port at which nobody is expected."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        yield opened


def was_visited(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("code", ["MOVED", "ASK"])
def test_a_redirection_that_a_script_made_up_leads_nowhere(
    code: str, caller: ClusterCaller, bare_cluster: Cluster, listener: socket.socket
) -> None:
    client = caller.open_cluster(bare_cluster)
    port = listener.getsockname()[1]
    spoof = script(f"return redis.error_reply('{code} 1 127.0.0.1:{port}')")

    with pytest.raises(CallError) as raised:
        caller.run(client, Call(spoof, (b"k",), (), decode=int), deadline=0.5)

    assert raised.value.code == code
    assert not was_visited(listener)
    assert caller.run(client, incr(b"k")) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("MOVED 99999 {known}", "MOVED -1 {known}", "MOVED x {known}", "MOVED 1 {known}"),
        *("MOVED 1 nowhere", "MOVED 1 :", "MOVED 1", "MOVED", "ASK 1 {known}", "ASK 1", "ASK"),
        *("TRYAGAIN", "CLUSTERDOWN", "CROSSSLOT", "READONLY", "LOADING", "MASTERDOWN", "BUSY"),
    ],
)
def test_whatever_a_script_makes_up_it_ends_in_one_of_our_errors_and_harms_no_other_call(
    text: str, caller: ClusterCaller, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster)
    host, port = bare_cluster.nodes[0].address
    said = text.format(known=f"{host}:{port}")
    spoof = script(f"return redis.error_reply('{said} made up')" if " " not in said else
                   f"return redis.error_reply('{said}')")  # fmt: skip

    with pytest.raises(CallError) as raised:
        caller.run(client, Call(spoof, (b"k",), (), decode=int), deadline=0.3)

    # A real node answers ASK for a slot of another's with a MOVED of its own.
    assert raised.value.code in (said.split()[0], "MOVED")
    assert [caller.run(client, incr(key)) for key in keys(9)] == [1] * 9
    assert caller.run_many(client, *[incr(key) for key in keys(9)]) == (2,) * 9


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


def test_a_dead_replica_is_replaced_by_its_primary(
    caller: ClusterCaller, private_cluster: Cluster
) -> None:
    cluster = private_cluster
    client = caller.open_cluster(cluster, **ALONE)
    [replica] = cluster.replicas_of(cluster.owner(b"k"))
    replicated(cluster, b"k", "v")
    assert caller.run(client, get(b"k")) == b"v"

    replica.kill()

    for _ in range(5):
        assert caller.run(client, get(b"k")) == b"v"


def test_a_replica_that_lost_its_primary_does_not_answer_and_the_call_is_not_executed(
    caller: ClusterCaller, private_cluster: Cluster
) -> None:
    """Of a slot that nobody serves, a call ends at its deadline, as not executed."""
    cluster = private_cluster
    primary = cluster.owner(b"k")
    [replica] = cluster.replicas_of(primary)
    client = caller.open_cluster(cluster)
    assert caller.run(client, incr(b"k")) == 1
    replica.kill()
    primary.kill()

    with pytest.raises(NotExecuted):
        caller.run(client, incr(b"k"), deadline=1)
    alive = next(key for key in keys(9) if cluster.owner(key) is not primary)
    assert [caller.run(client, incr(alive)) for _ in itertools.repeat(None, 3)] == [1, 2, 3]
