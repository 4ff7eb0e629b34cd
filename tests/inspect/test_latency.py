"""The table of latencies: complete, of the right server, and nothing left behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import redis

from redislua.inspect.latency import Figure, Quoted, measure
from redislua.patterns.nodes import connect_each
from redislua.server import Cluster, Server, start
from tests.runtime.proxy import Proxy

OPERATIONS = [
    *("PING", "GET", "SET", "HGET", "HSET", "ZADD", "ZRANK", "top 10", "a pipeline of 100 GETs"),
    *("a script (limit.gcra)", "PFADD", "PFCOUNT of 1 key", "PFCOUNT of 16 keys"),
    *("SCAN COUNT 10", "SCAN COUNT 1000"),
]


def test_every_operation_is_timed_and_nothing_is_left(client: redis.Redis, server: Server) -> None:
    client.set("own", "data")
    done: list[int] = []

    table = measure(connect_each(server.url), 20, done.append)

    assert [one.name for one in table.figures] == OPERATIONS
    assert all(0 < one.p50 <= one.p99 for one in table.figures)
    assert done == list(range(1, 21))
    assert client.keys() == [b"own"]


def test_a_pipeline_of_100_takes_longer_than_one_and_less_than_100(server: Server) -> None:
    table = measure(connect_each(server.url), 100)

    took = {one.name: one.p50 for one in table.figures}
    assert took["GET"] < took["a pipeline of 100 GETs"] < 100 * took["GET"]


def test_of_a_cluster_the_owner_of_the_keys_is_measured(bare_cluster: Cluster) -> None:
    names = set()
    for _ in range(5):
        table = measure(connect_each(bare_cluster.url), 10)
        names.add(table.node)

    assert names <= {f"{host}:{port}" for host, port in bare_cluster.addresses}
    assert [node.ask("DBSIZE") for node in bare_cluster.nodes] == [0, 0, 0]


def test_all_that_is_written_expires_by_itself(private: Server) -> None:
    """A run that is killed leaves nothing for long."""
    with redis.Redis.from_url(private.url) as client:
        seen: dict[bytes, int] = {}

        def look(_: int) -> None:
            keys: Any = client.keys()
            seen.update({key: ttl for key in keys if (ttl := client.ttl(key)) != -2})

        measure(connect_each(private.url), 10, look)

    assert len(seen) == 20
    assert all(key.startswith(b"redislua-bench:") for key in seen)
    assert all(0 <= ttl <= 600 for ttl in seen.values())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_run_cleans_up(client: redis.Redis, server: Server, error: Any) -> None:
    def interrupt(_: int) -> None:
        raise error

    with pytest.raises(error):
        measure(connect_each(server.url), 10, interrupt)

    assert client.dbsize() == 0


@pytest.mark.parametrize("command", [b"PFADD", b"EVALSHA", b"SCAN"])
def test_a_server_that_goes_away_in_the_middle_is_an_error(proxy: Proxy, command: bytes) -> None:
    proxy.arm("drop_reply", pattern=command)

    with pytest.raises(redis.ConnectionError):
        measure(connect_each(proxy.url, retry_for=0), 10)
    assert proxy.met == 1


def test_a_server_that_dies_for_good_is_an_error(server: Server) -> None:
    if server.kind == "url":
        pytest.skip("needs a server to end")
    with start(server.kind) as opened:
        clients = connect_each(opened.url, retry_for=0)
        killing = threading.Timer(0.3, opened.stop)
        killing.start()
        with pytest.raises(redis.ConnectionError):
            measure(clients, 1_000_000)
        killing.join()


def test_a_full_server_is_an_error(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory", 1)

    with pytest.raises(redis.exceptions.OutOfMemoryError):
        measure(connect_each(private.url), 10)


@pytest.mark.parametrize(
    ("p50", "expected"),
    [(0.05, "quicker"), (0.1, "as quoted"), (0.5, "as quoted"), (0.6, "slower")],
)
def test_the_median_is_held_to_what_is_quoted(p50: float, expected: str) -> None:
    assert Figure("GET", Quoted("O(1)", 0.1, 0.5), p50, 1.0).verdict == expected
    assert Figure("GET", None, p50, 1.0).verdict == "not quoted"
