"""P20, P28, P32 to P35: what servers, replicas and evictions do to those who do not look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redislua.bindings import cache, lock
from redislua.errors import NotPrimary
from redislua.inspect.checks import Expected
from redislua.inspect.doctor import Request, diagnose
from redislua.patterns.connect import connect
from redislua.patterns.eviction import EvictionMonitor
from redislua.runtime import run
from redislua.server import Node, SentinelSet, Server
from redislua.server.node import program, start_all, stop_all
from redislua.server.running import arguments
from tests.catalogue.samples import registry


def test_p20_a_server_that_nobody_asks_has_no_bad_hit_rate(client: redis.Redis) -> None:
    """Since its start it had hits and misses; in the time that was looked at it had none."""
    client.config_resetstat()
    for _ in range(10):
        client.get("a lock that nobody holds")
    stats: Any = client.info("stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == (0, 10)

    monitor = EvictionMonitor(client)
    monitor.look()
    (look,) = monitor.look()

    assert look.window is not None
    assert look.window.lookups == 0
    assert look.alarms == ()


def test_p28_who_gives_up_is_not_waited_for(client: redis.Redis) -> None:
    """A lock on the fetch tells those who poll for it nothing, and holds them to its end."""
    client.set("naive", "the failed one", nx=True, px=60_000)
    assert client.set("naive", "another", nx=True, px=60_000) is None

    run(client, cache.get_or_lock(key="k", owner="a", hold=60_000))
    assert isinstance(
        run(client, cache.get_or_lock(key="k", owner="b", hold=60_000)), cache.GetOrLockWait
    )
    run(client, cache.abandon(key="k", owner="a", cooldown=1))
    time.sleep(0.01)
    seconds = [
        run(client, cache.get_or_lock(key="k", owner=one, hold=60_000)) for one in ("b", "c", "d")
    ]

    assert isinstance(seconds[0], cache.GetOrLockFill)
    assert all(isinstance(one, cache.GetOrLockWait) for one in seconds[1:])


READ_OR_LOCK = """
local value = redis.call('GET', KEYS[1])
if value then
  return value
end
redis.call('SET', KEYS[2], 'me', 'NX', 'PX', 60000)
return false
"""


def test_p32_a_replica_is_sent_effects_and_takes_no_writes(sentinel_set: SentinelSet) -> None:
    """On a replica a script works as long as it finds what it looks for."""
    primary, (replica,) = sentinel_set.primary(), sentinel_set.replicas()
    ask = cache.get_or_lock(key="k", owner="a", hold=60_000)
    with redis.Redis.from_url(primary.url) as writer, redis.Redis.from_url(replica.url) as reader:
        writer.set("{k}value", "v")
        writer.wait(1, 10_000)
        assert reader.eval(READ_OR_LOCK, 2, "{k}value", "{k}lock") == b"v"
        with pytest.raises(redis.exceptions.ReadOnlyError):
            reader.eval(READ_OR_LOCK, 2, "{k}other", "{k}lock")
        reader.config_resetstat()

        assert run(writer, ask) == cache.GetOrLockFill()
        writer.wait(1, 10_000)

        assert reader.get(ask.keys[1]) == writer.get(ask.keys[1])
        assert reader.pexpiretime(ask.keys[1]) == writer.pexpiretime(ask.keys[1])
        sent: Any = reader.info("commandstats")
        assert "cmdstat_set" in sent
        assert not {name for name in sent if name.startswith("cmdstat_eval")}
        with pytest.raises(NotPrimary):
            run(reader, ask)
        assert run(reader, cache.read(key="k")) == cache.ReadMissing()


def test_p33_a_lock_that_is_evicted_is_nobodys_and_the_server_can_be_asked(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        held = lock.acquire(name="l", owner="me", hold=600_000)
        run(client, held)
        memory: Any = client.info("memory")
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", memory["used_memory"] + 1_000_000)
        time.sleep(1.1)  # the clock of lru counts seconds: the lock is the oldest
        for batch in range(40):
            with client.pipeline(transaction=False) as pipe:
                for number in range(500):
                    pipe.set(f"cached:{batch}:{number}", b"x" * 100)
                pipe.execute()
            if not client.exists(held.keys[0]):
                break
        # Ten minutes too soon.
        assert isinstance(run(client, lock.inspect(name="l")), lock.InspectFree)

        wanted = [script for script in registry().scripts if script.family == "lock"]
        found = diagnose({"n": client}, Request(Expected(None, tuple(wanted))))

        errors = {one.code for one in found.findings if one.severity == "error"}
        assert "evicts-state" in errors


@pytest.mark.soak
def test_p34_a_frequency_is_lowered_by_one_and_not_halved(
    private: Server, soak: Callable[[int, int], int]
) -> None:
    """The server counts whole minutes: in full only."""
    minutes = soak(0, 1)
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lfu")
        client.config_set("lfu-decay-time", 1)
        client.set("k", "v")
        client.restore("k", 0, client.dump("k"), replace=True, frequency=200)

        time.sleep(minutes * 61)
        left: Any = client.object("FREQ", "k")

    assert 200 - minutes - 1 <= left <= 200 - minutes


@pytest.fixture
def node(server: Server) -> Iterator[Node]:
    """A server of the test's own, which can be killed and started again."""
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    of, options = program(server.kind, "server"), arguments({})
    nodes = start_all(1, lambda: Node(of, options))
    yield nodes[0]
    stop_all(nodes)


class GivesUp:
    """A connection that is tried again a few times, and then never more."""

    def __init__(self, url: str) -> None:
        self._client: redis.Redis | None = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 3))

    def ping(self) -> bool:
        if self._client is None:
            raise redis.ConnectionError("Connection is closed")
        try:
            return bool(self._client.ping())
        except redis.ConnectionError:
            self._client = None
            raise


def test_p35_a_client_outlives_its_server(node: Node) -> None:
    naive = GivesUp(node.url)
    call = lock.acquire(name="l", owner="me", hold=60_000)
    with connect(node.url, retry_for=0.1) as ours:
        assert naive.ping()
        run(ours, call)
        node.kill()
        with pytest.raises(redis.ConnectionError):
            naive.ping()
        with pytest.raises(Exception, match=r"\w"):
            run(ours, call, deadline=0.3)
        node.restart()
        with pytest.raises(redis.ConnectionError, match="closed"):
            naive.ping()

        assert isinstance(run(ours, call), lock.AcquireAcquired)
