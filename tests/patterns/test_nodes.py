"""A client of each node: of clusters that are broken, too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from redislua.errors import InvalidArgumentValue
from redislua.patterns.connect import NotConnected
from redislua.patterns.nodes import connect_each
from redislua.server import Cluster, SentinelSet, Server, start

pytestmark = pytest.mark.client_side


@contextlib.contextmanager
def each(url: str, **options: Any) -> Iterator[dict[str, redis.Redis]]:
    clients = connect_each(url, retry_for=0, **options)
    yield clients
    for client in clients.values():
        client.close()


def test_one_server_is_one_client_by_its_address(server: Server) -> None:
    with each(server.url) as clients:
        ((name, client),) = clients.items()

        assert f"redis://{name}/0" == server.url
        assert client.ping()


def test_a_socket_goes_by_its_path() -> None:
    with start(unix_socket=True) as opened, each(opened.url) as clients:
        ((name, client),) = clients.items()

        assert name.endswith(".sock")
        assert client.ping()


def test_of_sentinels_it_is_the_primary_by_its_name(sentinel_set: SentinelSet) -> None:
    with each(sentinel_set.url) as clients:
        ((name, client),) = clients.items()
        answer: Any = client.info()

    assert name == sentinel_set.url.rpartition("/")[2] == "mymaster"
    assert answer["role"] == "master"


def test_a_cluster_has_one_client_for_each_node_primaries_first(cluster: Cluster) -> None:
    primaries = {f"{node.host}:{node.port}" for node in cluster.primaries()}
    one = cluster.nodes[-1]

    with each(f"redis+cluster://{one.host}:{one.port}") as clients:
        roles = [client.info()["role"] for client in clients.values()]
        ports = {name: client.info()["tcp_port"] for name, client in clients.items()}

    assert set(list(clients)[:3]) == primaries
    assert roles == ["master"] * 3 + ["slave"] * 3
    assert all(name.endswith(f":{port}") for name, port in ports.items())


def test_a_dead_node_is_among_them_and_keeps_nobody_from_the_others(
    private_cluster: Cluster,
) -> None:
    dead = private_cluster.nodes[0]
    dead.kill()

    with each(private_cluster.url) as clients:
        answers = []
        for name, client in clients.items():
            try:
                answers.append((name, bool(client.ping())))
            except NotConnected:
                answers.append((name, False))

    assert len(clients) == 6
    assert [name for name, alive in answers if not alive] == [f"{dead.host}:{dead.port}"]


def test_addresses_are_mapped_as_told(cluster: Cluster) -> None:
    seen = []

    def remap(place: tuple[str, int]) -> tuple[str, int]:
        seen.append(place)
        return ("localhost", place[1])

    with each(cluster.url, address_remap=remap) as clients:
        assert all(client.ping() for client in clients.values())

    assert {name.partition(":")[0] for name in clients} == {"localhost"}
    assert sorted(seen) == sorted(cluster.addresses)


def test_the_settings_of_a_clusters_url_hold_for_each_node(cluster: Cluster) -> None:
    with each(f"{cluster.url}?read_timeout=7&client_name=doctor", password=None) as clients:
        settings = [client.connection_pool.connection_kwargs for client in clients.values()]

    assert {(one["socket_timeout"], one["client_name"]) for one in settings} == {(7.0, "doctor")}


def test_what_is_no_cluster_says_so(server: Server) -> None:
    with pytest.raises(redis.ResponseError, match="cluster support disabled"):
        connect_each(server.url.replace("redis://", "redis+cluster://"), retry_for=0)


def test_without_any_node_the_last_failure_is_raised() -> None:
    with pytest.raises(NotConnected):
        connect_each("redis+cluster://127.0.0.1:1,127.0.0.1:2", retry_for=0)


def test_a_wrong_url_is_refused_without_its_secret() -> None:
    with pytest.raises(InvalidArgumentValue) as raised:
        connect_each("http://user:secret@h")

    assert raised.value.script == "connect_each"
    assert "secret" not in str(raised.value)
