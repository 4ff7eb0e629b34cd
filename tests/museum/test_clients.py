"""P2, P24 to P27, P29, P30: calls that the network doubles, loses, or sends to the wrong node."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from redis.cluster import ClusterNode

from redislua.bindings import cache, limit, lock
from redislua.errors import OutcomeUnknown
from redislua.runtime import Call, run, run_many
from redislua.server import Cluster
from tests.runtime.proxy import FaultName, Proxy

HOUR = timedelta(hours=1)


def test_p2_every_key_of_a_call_lies_in_one_slot_by_its_pattern(bare_cluster: Cluster) -> None:
    """A key made up inside a script is on this node by luck, one time in three."""
    made_up = "redis.call('SET', KEYS[1] .. ':lock', '1') return 1"
    seeds = [ClusterNode(host, port) for host, port in bare_cluster.addresses]
    with redis.RedisCluster(startup_nodes=seeds) as client:
        failed = 0
        for number in range(100):
            try:
                client.eval(made_up, 1, f"user:{number}")
            except redis.ResponseError:
                failed += 1
        assert 30 < failed < 95

        replies = run_many(
            client,
            *(cache.get_or_lock(key=f"user:{one}", owner="a", hold=1_000) for one in range(100)),
        )

    assert set(replies) == {cache.GetOrLockFill()}


def test_p24_calls_of_many_slots_go_in_one_batch(bare_cluster: Cluster) -> None:
    seeds = [ClusterNode(host, port) for host, port in bare_cluster.addresses]
    with redis.RedisCluster(startup_nodes=seeds) as client:
        with pytest.raises(redis.exceptions.RedisClusterException):
            client.mget([f"user:{number}" for number in range(20)])

        replies = run_many(client, *(cache.read(key=f"user:{one}") for one in range(20)))

    assert replies == (cache.ReadMissing(),) * 20


def test_p25_a_script_that_one_node_lacks_is_brought_to_it(bare_cluster: Cluster) -> None:
    """SCRIPT LOAD on one node leaves the others without it."""
    seeds = [ClusterNode(host, port) for host, port in bare_cluster.addresses]
    call = limit.gcra(subject="u", limit=5, period=HOUR, burst=5)
    host, port = bare_cluster.addresses[0]
    with redis.RedisCluster(startup_nodes=seeds) as client, redis.Redis(host, port) as one:
        one.script_load(call.script.source)
        assert client.script_exists(call.script.sha1) == [False]

        replies = [
            run(client, limit.gcra(subject=f"u{number}", limit=5, period=HOUR, burst=5))
            for number in range(50)
        ]

    assert all(isinstance(reply, limit.GcraAllowed) for reply in replies)


@pytest.fixture
def through(proxy: Proxy) -> Callable[..., redis.Redis]:
    """``through("drop_reply")`` is a client whose next request meets the fault."""

    def opened(fault: FaultName, pattern: bytes = b"EVALSHA", shots: int = 1) -> redis.Redis:
        proxy.arm(fault, pattern=pattern, shots=shots)
        return redis.Redis("127.0.0.1", proxy.port)

    return opened


def test_p26_a_call_whose_reply_is_lost_counts_once_or_is_known_to_be_lost(
    client: redis.Redis, through: Any
) -> None:
    """redis-py sends it again by itself."""
    with through("drop_reply", pattern=b"naive") as doubled:
        assert doubled.incr("naive") == 2

    call = limit.sliding_window(subject="u", limit=5, period=HOUR)
    with through("drop_reply") as ours:
        reply = run(ours, call)

    assert isinstance(reply, limit.SlidingWindowReplayed | limit.SlidingWindowAllowed)
    assert client.zcard(call.keys[0]) == 1


def test_p27_a_lock_that_was_taken_is_known_to_be_taken(client: redis.Redis, through: Any) -> None:
    """SET NX, sent again, meets its own lock and says that it is somebody else's."""
    with through("drop_reply", pattern=b"naive") as naive:
        assert naive.set("naive", "me", nx=True) is None
    assert client.get("naive") == b"me"

    with through("drop_reply") as ours:
        reply = run(ours, lock.acquire(name="l", owner="me", hold=HOUR / 60))

    assert isinstance(reply, lock.AcquireAcquired)


def test_p29_nobody_gives_another_owners_lock_back(client: redis.Redis) -> None:
    """GET, then DEL: between the two the lock has run out and is somebody else's."""
    client.set("naive", "a")
    seen = client.get("naive")
    client.set("naive", "b")  # a's hold ran out, and b took it
    if seen == b"a":
        client.delete("naive")
    assert not client.exists("naive")

    run(client, lock.acquire(name="l", owner="b", hold=60_000))

    assert run(client, lock.release(name="l", owner="a")) == lock.ReleaseNotOwner()
    assert isinstance(run(client, lock.inspect(name="l")), lock.InspectHeld)


def test_p30_a_lock_can_be_given_back_on_a_full_server(
    client: redis.Redis, make_full: Callable[[], None]
) -> None:
    release = "#!lua\nreturn redis.call('DEL', KEYS[1])"
    client.set("naive", "me")
    run(client, lock.acquire(name="l", owner="me", hold=60_000))
    make_full()

    with pytest.raises(redis.ResponseError, match=r"OOM|maxmemory"):
        client.eval(release, 1, "naive")

    assert run(client, lock.release(name="l", owner="me")) == lock.ReleaseReleased()


def test_what_may_not_run_twice_is_not_sent_twice(through: Any) -> None:
    """The other half of P26: where a repeat would do harm the caller decides."""
    call = limit.gcra(subject="u", limit=5, period=HOUR, burst=5)
    script = dataclasses.replace(call.script, retry="never")
    never = Call(script, call.keys, call.args, call.decode)

    with through("drop_reply", shots=100) as ours, pytest.raises(OutcomeUnknown):
        run(ours, never)
