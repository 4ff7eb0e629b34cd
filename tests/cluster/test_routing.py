"""Calls on a real cluster: each to the node of its keys, and nothing asked beside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
import redis

from redislua.bindings import cache, limit
from redislua.errors import CrossSlot, InvalidArgumentValue, UnsupportedClient
from redislua.runtime import Call, arun, configure, run
from redislua.server import Cluster
from tests.cluster.callers import (
    ClusterCaller,
    commands_of,
    connections,
    forget_stats,
    get,
    incr,
    keys,
    seen,
)
from tests.runtime.samples import script


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that happens soon."""
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError(f"not within ten seconds: {what}")


def test_calls_are_routed_by_their_keys_and_nobody_is_asked_where_those_are(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    caller.run(client, incr(b"first"))  # the client's own questions come before
    nodes = bare_cluster.nodes
    forget_stats(nodes)

    assert [caller.run(client, incr(key)) for key in keys(120)] == [1] * 120
    assert [caller.run(client, incr(key)) for key in keys(120)] == [2] * 120

    assert sum(seen(nodes, "incr")) == 240
    assert min(seen(nodes, "incr")) >= 60
    # One more for each node that lacked the script, the first call's aside.
    assert sum(seen(nodes, "evalsha")) == 240 + 2
    assert sum(seen(nodes, "script|load")) == 2
    assert_nobody_was_asked(bare_cluster)


def assert_nobody_was_asked(cluster: Cluster) -> None:
    for node in cluster.nodes:
        asked = {name.partition("|")[0] for name in commands_of(node)}
        assert asked.isdisjoint({"command", "cluster", "asking"})


def test_a_batch_asks_nobody_where_its_keys_are(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    calls = [incr(key) for key in keys(100)]
    caller.run_many(client, *calls)
    forget_stats(bare_cluster.nodes)

    assert caller.run_many(client, *calls) == (2,) * 100

    assert sum(seen(bare_cluster.nodes, "evalsha")) == 100
    assert_nobody_was_asked(bare_cluster)


def reads_of(node: Any) -> int:
    """How often the server has read from a socket: once for each small write to it."""
    said: Any = node.info("stats")
    return int(said["total_reads_processed"])


def reads_while(nodes: Sequence[Any], work: Callable[[], object]) -> list[int]:
    """How often each server has read from a socket while the work was done."""
    before = [reads_of(node) for node in nodes]
    work()
    # The question itself is read, too.
    return [reads_of(node) - at_first - 1 for node, at_first in zip(nodes, before, strict=True)]


def test_a_batch_is_one_write_to_each_node(caller: ClusterCaller, bare_cluster: Cluster) -> None:
    client = caller.open_cluster(bare_cluster)
    calls = [incr(key) for key in keys(100)]
    caller.run_many(client, *calls)
    watchers = [redis.Redis.from_url(node.url) for node in bare_cluster.nodes]

    # A server also reads the end of connections that were left open before, whenever that
    # comes: it can add to a measurement, and never take away from one.
    fewest = [1000] * len(watchers)
    for _ in range(10):
        reads = reads_while(watchers, lambda: caller.run_many(client, *calls))
        fewest = [min(pair) for pair in zip(fewest, reads, strict=True)]

    for one in watchers:
        one.close()
    assert fewest == [1, 1, 1]


def test_a_thousand_calls_in_one_batch_come_back_in_order(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    echo = script("return ARGV[1]")
    calls = [Call(echo, (key,), (b"%d" % n,), decode=int) for n, key in enumerate(keys(1000))]
    forget_stats(bare_cluster.nodes)

    assert caller.run_many(client, *calls, deadline=20) == tuple(range(1000))
    assert seen(bare_cluster.nodes, "script|load") == [1, 1, 1]


def test_calls_on_one_key_keep_their_order_in_a_batch(
    caller: ClusterCaller, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster)
    one, two, three = keys(3)

    assert caller.run_many(client, *[incr(one), incr(two), incr(three)] * 200) == tuple(
        n for n in range(1, 201) for _ in range(3)
    )


def test_a_script_that_one_node_lost_is_brought_there_alone(
    caller: ClusterCaller, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster)
    some = keys(30)
    caller.run_many(client, *[incr(key) for key in some])
    lost, *others = bare_cluster.nodes
    lost.ask("SCRIPT FLUSH")
    forget_stats(bare_cluster.nodes)

    assert [caller.run(client, incr(key)) for key in some] == [2] * 30

    assert seen([lost], "script|load") == [1]
    assert seen(others, "script|load") == [0, 0]
    lost.ask("SCRIPT FLUSH")
    assert caller.run_many(client, *[incr(key) for key in some]) == (3,) * 30
    assert seen([lost], "script|load") == [2]
    assert seen(others, "script|load") == [0, 0]


def test_a_call_without_keys_runs_on_any_primary(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    echo = script("return ARGV[1]", flags=" flags=no-writes")
    caller.run(client, Call(echo, (), (b"7",), decode=int))
    forget_stats(bare_cluster.nodes)

    for _ in range(60):
        assert caller.run(client, Call(echo, (), (b"7",), decode=int)) == 7

    assert min(seen(bare_cluster.nodes, "evalsha")) > 0


def test_warm_loads_on_every_node(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)

    digests = caller.warm(client, limit, cache)

    assert digests == [one.sha1 for module in (limit, cache) for one in module.SCRIPTS]
    for node in bare_cluster.nodes:
        known: Any = node.ask("SCRIPT EXISTS", *digests)
        assert all(known)
    forget_stats(bare_cluster.nodes)
    for subject in range(30):
        call = limit.gcra(subject=str(subject), limit=5, period=60_000, burst=5)
        assert isinstance(caller.run(client, call), limit.GcraAllowed)
    assert sum(seen(bare_cluster.nodes, "evalsha")) == 30
    assert sum(seen(bare_cluster.nodes, "script|load")) == 0


def test_the_generated_classes_work_on_a_cluster(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    asked: list[dict[str, Any]] = [
        {"subject": str(n), "limit": 5, "period": 60_000, "burst": 5} for n in range(20)
    ]
    replies: list[Any]

    if caller.is_async:
        own = limit.AsyncLimit(client, namespace="shop")
        replies = [caller.wait(own.gcra(**arguments)) for arguments in asked]
    else:
        replies = [limit.Limit(client, namespace="shop").gcra(**one) for one in asked]

    assert [reply.remaining for reply in replies] == [4] * 20


# --- slots -----------------------------------------------------------------------------------


def test_keys_of_two_slots_are_refused_before_anything_is_sent(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)
    crossing = incr(b"one", more=[b"two"])
    caller.run(client, incr(b"one"))
    forget_stats(bare_cluster.nodes)

    with pytest.raises(CrossSlot, match=r"b'one' is in slot \d+ and b'two' in slot \d+"):
        caller.run(client, crossing)
    with pytest.raises(CrossSlot, match="b'one' is in slot"):
        caller.run_many(client, incr(b"one"), incr(b"two"), atomic=True)
    with pytest.raises(CrossSlot):
        caller.run(caller.open_cluster(bare_cluster, library=library), crossing)

    assert sum(seen(bare_cluster.nodes, "evalsha")) == 0
    first, second, third = caller.run_many(
        client, incr(b"one"), crossing, incr(b"two"), return_exceptions=True
    )
    assert (first, third) == (2, 1)
    assert isinstance(second, CrossSlot)


def test_a_transaction_runs_on_the_node_of_its_slot(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster, library=library)

    for key in keys(12):
        tagged = [incr(key), incr(key + b":other"), incr(key)]
        assert caller.run_many(client, *tagged, atomic=True) == (1, 1, 2)
    with pytest.raises(InvalidArgumentValue, match="a transaction is not split"):
        caller.run_many(client, *[incr(b"k")] * 257, atomic=True)


# --- clients ---------------------------------------------------------------------------------


def test_an_asyncio_client_that_was_never_initialised_is_left_as_it_is(
    runner: asyncio.Runner, library: ModuleType, bare_cluster: Cluster
) -> None:
    caller = ClusterCaller(is_async=True, runner=runner)
    client = caller.open_cluster(bare_cluster.addresses[:1], library=library)

    assert [caller.run(client, incr(key)) for key in keys(12)] == [1] * 12
    assert client.nodes_manager.nodes_cache == {}
    caller.close()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decoded", [False, True])
def test_no_reply_depends_on_how_the_client_reads(
    caller: ClusterCaller, bare_cluster: Cluster, protocol: int, decoded: bool
) -> None:
    client = caller.open_cluster(bare_cluster, protocol=protocol, decode_responses=decoded)
    some = script("return {ARGV[1], 7, {'a'}}")
    call = Call(some, (b"k",), (b"\xff\x00",), decode=lambda reply: reply)

    assert caller.run(client, call) == [b"\xff\x00", 7, [b"a"]]
    assert caller.run_many(client, call, incr(b"n")) == ([b"\xff\x00", 7, [b"a"]], 1)


def test_a_client_of_the_other_kind_and_a_pipeline_are_refused(
    runner: asyncio.Runner, library: ModuleType, bare_cluster: Cluster
) -> None:
    blocking = ClusterCaller(is_async=False, runner=runner)
    tasks = ClusterCaller(is_async=True, runner=runner)
    one = blocking.open_cluster(bare_cluster, library=library)
    other = tasks.open_cluster(bare_cluster, library=library)
    forget_stats(bare_cluster.nodes)

    with pytest.raises(UnsupportedClient, match=r"use arun\(\)"):
        run(other, incr(b"k"))
    with pytest.raises(UnsupportedClient, match=r"use run\(\)"):
        runner.run(arun(one, incr(b"k")))
    with pytest.raises(UnsupportedClient, match="pipeline"):
        run(one.pipeline(), incr(b"k"))
    assert sum(seen(bare_cluster.nodes, "incr")) == 0
    tasks.close()
    blocking.close()


@pytest.mark.parametrize("coalesce", [True, False])
def test_calls_of_one_moment_share_a_connection_to_each_node_unless_told_otherwise(
    caller: ClusterCaller, bare_cluster: Cluster, coalesce: bool
) -> None:
    client = caller.open_cluster(bare_cluster, client_name=f"moment-{coalesce}-{caller.is_async}")
    configure(client, coalesce=coalesce)
    some = [incr(key) for key in keys(30)]

    if caller.is_async:

        async def at_once() -> list[int]:
            return await asyncio.gather(*(arun(client, call, deadline=20) for call in some * 10))

        replies = [reply for _ in range(3) for reply in caller.wait(at_once())]
    else:
        with ThreadPoolExecutor(30) as threads:
            replies = list(threads.map(lambda call: run(client, call, deadline=20), some * 30))

    assert sum(replies) == sum(30 * n for n in range(1, 31))
    name = f"moment-{coalesce}-{caller.is_async}"
    counts = connections(bare_cluster.nodes, name)
    if caller.is_async:
        own = 0  # redis-py's own connections, of which an asyncio client makes none here
        assert all(count == 1 + own if coalesce else count > 1 for count in counts)
    elif coalesce:
        assert max(counts) <= 9 + 1  # eight, one that is shared, and the client's own


def test_a_read_goes_to_the_primary_where_the_client_says_nothing(
    caller: ClusterCaller, bare_cluster: Cluster
) -> None:
    client = caller.open_cluster(bare_cluster)
    caller.run(client, incr(b"k"))

    assert caller.run(client, get(b"k")) == b"1"
    assert sum(seen(bare_cluster.nodes, "evalsha_ro")) == 0
