"""A cluster sends the call elsewhere, lets it wait, or refuses its keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.cluster import LoadBalancingStrategy

from redislua.errors import CrossSlot, ScriptFault, ServerLoading
from redislua.runtime import Call
from redislua.server import Cluster, ClusterNode, Server, start_cluster
from tests.faults.forms import KINDS, PATIENT, Form
from tests.faults.grounds import Ground, wait_until
from tests.faults.samples import BESIDE, COUNT, KEY, OTHER, beside, counting, reading
from tests.rig import migration
from tests.rig.fixtures import OfSession
from tests.runtime.samples import script

ROUND_ROBIN = LoadBalancingStrategy.ROUND_ROBIN

TWO_KEYS = counting(then="redis.call('TOUCH', KEYS[2])")


@pytest.fixture
def running(whole_cluster: Ground, cluster_of_session: OfSession[Cluster]) -> Cluster:
    """The cluster that the module works on, without data and without scripts."""
    whole_cluster.empty()
    running = whole_cluster.server
    assert isinstance(running, Cluster)
    return running


@pytest.fixture
def slot(running: Cluster) -> int:
    """The slot of the samples' keys."""
    return int(running.nodes[0].ask("CLUSTER KEYSLOT", KEY.decode()))


def others(running: Cluster, owner: ClusterNode) -> ClusterNode:
    """A primary that does not own the samples' slot."""
    return next(node for node in running.primaries() if node is not owner)


def executed(node: ClusterNode, key: bytes = KEY) -> int:
    """How often the call in question was executed, as one node has it."""
    return int(node.ask("GET", key.decode()) or 0)


def test_a_slot_that_moved_away(form: Form, running: Cluster, slot: int, whole_cluster: Ground):
    """Rows 15 and 16: MOVED to a node that lacks the scripts."""
    client = form.open(whole_cluster)
    form.run(client, COUNT)
    target = others(running, running.owner(KEY))
    migration.move(running, slot, target)

    ended = form.end(client, COUNT)

    assert (ended.own, ended.beside) == (2, form.beside(3, 4))
    assert executed(target) == 2
    assert form.run(client, COUNT) == 3


@pytest.mark.parametrize("has_key", [True, False], ids=["keys-there", "keys-gone"])
def test_a_slot_that_is_moving(
    form: Form, running: Cluster, slot: int, whole_cluster: Ground, has_key: bool
) -> None:
    """Row 17: keys that have gone are asked for with ASKING, on a node that lacks the scripts."""
    client = form.open(whole_cluster)
    form.run(client, COUNT)
    source = running.owner(KEY)
    target = others(running, source)
    migration.begin(running, slot, source, target)
    try:
        if not has_key:
            migration.move_keys(slot, source, target)
        moved = whole_cluster.client_of(target)
        moved.config_resetstat()

        ended = form.end(client, COUNT)

        assert (ended.own, ended.beside) == (2, form.beside(3, 4))
        assert whole_cluster.calls("incr", [moved]) == (0 if has_key else 1 + form.neighbours)
        assert form.run(client, COUNT) == 3
        migration.move_keys(slot, source, target)
    finally:
        migration.finish(running, slot, source, target)
    assert executed(target) == 3
    assert executed(target, BESIDE) == 3 * form.neighbours
    assert form.run(client, COUNT) == 4


def test_keys_that_lie_on_both_sides_of_a_move(
    form: Form, running: Cluster, slot: int, whole_cluster: Ground
) -> None:
    """Row 18: TRYAGAIN is no execution, and it is waited for."""
    client = form.open(whole_cluster)
    source = running.owner(KEY)
    target = others(running, source)
    for key in (KEY, OTHER, BESIDE):
        source.ask("SET", key.decode(), 0)
    form.run(client, COUNT)
    migration.begin(running, slot, source, target)
    try:
        source.ask("MIGRATE", target.host, target.port, "", 0, 5000, "KEYS", OTHER.decode())

        ended = form.once(client, TWO_KEYS)

        assert type(ended.own) is ServerLoading
        assert ended.own.code == "TRYAGAIN"
        assert executed(source) == 1
        assert_neighbours_of_tryagain(form, ended.beside, source)

        settling = threading.Timer(0.05, migration.move_keys, (slot, source, target))
        settling.start()
        try:
            assert form.run(client, TWO_KEYS, deadline=PATIENT) == 2
        finally:
            settling.join()
    finally:
        migration.move_keys(slot, source, target)
        migration.finish(running, slot, source, target)
    assert executed(target) == 2


def assert_neighbours_of_tryagain(form: Form, ended: tuple[Any, ...], source: ClusterNode) -> None:
    """A transaction whose keys lie apart runs nothing; calls of one key are not concerned."""
    if form.is_atomic:
        assert [type(one) for one in ended] == [ServerLoading] * 2
        assert executed(source, BESIDE) == form.neighbours
    else:
        assert ended == form.beside(3, 4)


def test_reads_on_replicas(form: Form, running: Cluster, whole_cluster: Ground) -> None:
    """Row 19: on every node that is read from, a script that it lacks is brought."""
    owner = running.owner(KEY)
    [replica] = running.replicas_of(owner)
    form.run(form.open(whole_cluster), COUNT)
    for node in (owner, replica):
        await_read(node)

    reads = [0, 0]
    for _ in range(5):
        # A busy machine may keep a replica off the list for a moment: then it is not read from.
        whole_cluster.await_listed(replica)
        client = form.open(whole_cluster, load_balancing_strategy=ROUND_ROBIN)
        for node in (owner, replica):
            whole_cluster.client_of(node).config_resetstat()
        for _ in range(12):
            assert form.run(client, reading(), among=reading()) == b"1"
        clients = [whole_cluster.client_of(node) for node in (owner, replica)]
        reads = [whole_cluster.calls("get", [one]) for one in clients]
        if all(reads):
            break

    assert all(0 < count < 12 * (1 + form.neighbours) for count in reads)
    assert form.run(client, COUNT) == 2


def await_read(node: ClusterNode) -> None:
    """Wait until a node, which may be a replica, has the counter."""
    with node.connected() as client:
        client.readonly()
        wait_until(lambda: client.get(KEY.decode()) == "1")


# --- batches of several nodes -----------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [one for one in KINDS if one.shape == "batch"], ids=str, indirect=True
)
def test_calls_on_every_node_keep_their_places(form: Form, whole_cluster: Ground, running: Cluster):
    """Row 20: and the cluster is asked nothing for them."""
    client = form.open(whole_cluster)
    keys = [b"{%d}" % number for number in range(60)]
    calls = [counting(key=key) for key in keys]
    assert form.caller.run_many(client, *calls) == (1,) * 60
    for node in whole_cluster.nodes:
        node.config_resetstat()

    assert form.caller.run_many(client, *calls) == (2,) * 60

    primaries = [whole_cluster.client_of(node) for node in running.primaries()]
    assert [whole_cluster.calls("evalsha", [node]) > 0 for node in primaries] == [True] * 3
    assert whole_cluster.calls("evalsha") == 60
    assert whole_cluster.calls("command|getkeys") == whole_cluster.calls("script|load") == 0


# --- keys that do not belong together ---------------------------------------------------------


def apart(*keys: bytes) -> Call[Any]:
    """A call of keys in different slots."""
    return Call(COUNT.script, keys, (), decode=int)


def test_keys_of_two_slots_are_refused_before_anything_is_sent(
    form: Form, whole_cluster: Ground, running: Cluster
) -> None:
    """Row 12: the calls beside it run, but for those of its transaction."""
    client = form.open(whole_cluster)
    form.run(client, COUNT)
    whole_cluster.home.config_resetstat()

    ended = form.end(client, apart(KEY, b"{elsewhere}"))

    assert type(ended.own) is CrossSlot
    assert ended.own.keys[-1] == b"{elsewhere}"
    assert whole_cluster.executions() == 1
    sent = 0 if form.is_atomic else form.neighbours
    assert whole_cluster.calls("evalsha", [whole_cluster.home]) == sent
    if form.is_atomic:
        assert [type(one) for one in ended.beside] == [CrossSlot] * 2
    else:
        assert ended.beside == form.beside(3, 4)
    assert form.run(client, COUNT) == 2


def test_keys_of_two_slots_that_a_node_refuses(
    form: Form, whole_cluster: Ground, running: Cluster
) -> None:
    """Row 12: the same class where a client of one node cannot know of slots."""
    host, port = whole_cluster.at
    client = form.take(node_client(form, host, port))
    form.run(client, COUNT)

    ended = form.end(client, apart(KEY, b"{elsewhere}"))

    assert type(ended.own) is CrossSlot
    assert ended.own.code == "CROSSSLOT"
    assert whole_cluster.executions() == 1
    if form.is_atomic:
        assert [type(one) for one in ended.beside] == [CrossSlot] * 2
    else:
        assert ended.beside == form.beside(3, 4)
    assert form.run(client, COUNT) == 2


def node_client(form: Form, host: str, port: int) -> Any:
    """A client of a single server, as which a node of a cluster can be taken."""
    package: Any = redis.asyncio if form.kind.is_async else redis
    return package.Redis(host=host, port=port)


@pytest.fixture(scope="module")
def spoilable(server: Server) -> Iterator[Ground]:
    """A cluster for scripts that reach for other slots: Valkey 9.1 may never recover from them."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    with start_cluster(server.kind, primaries=2, replicas=0) as started:
        ground = Ground(started)
        yield ground
        ground.close()


@pytest.mark.parametrize("row", [13, 14])
def test_a_script_that_reaches_for_a_key_it_was_not_given(
    form: Form, spoilable: Ground, row: int
) -> None:
    """Rows 13 and 14: a key of another node, and one of another slot of the same node."""
    spoilable.empty()
    client = form.open(spoilable)
    key = next(
        name
        for name in (f"{{{number}}}" for number in range(100))
        if (spoilable.owner_of(name) == spoilable.at) == (row == 14)
    )

    ended = form.end(client, counting(key.encode(), then="redis.call('GET', ARGV[1])"))

    assert type(ended.own) is ScriptFault
    assert ended.own.line == 3
    assert ended.beside[:1] == form.beside(1)
    assert spoilable.executions() == 1
    assert form.run(client, Call(script("return 7"), (KEY,), (), int), among=beside()) == 7
