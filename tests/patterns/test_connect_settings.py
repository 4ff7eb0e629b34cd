"""What a client is like: its settings, its roles, and that redislua's calls work on it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis

import redislua.server
from redislua.patterns.connect import connect
from redislua.server import Cluster, SentinelSet, Server
from tests.patterns.openers import Opener
from tests.runtime.samples import incr

pytestmark = pytest.mark.client_side


def test_a_single_server_s_client_has_the_settings_of_production(
    opener: Opener, client: redis.Redis, server: Server
) -> None:
    made = opener.open(server.url, client_name="web-1")

    own = opener.do(made, "client_info")
    settings = made.connection_pool.connection_kwargs

    assert (own["name"], own["resp"]) == ("web-1", "3")
    assert settings["socket_connect_timeout"] == 1
    assert settings["socket_timeout"] == 2
    assert settings["health_check_interval"] == 30
    assert settings["socket_keepalive"] is True
    assert made.connection_pool.max_connections == 100
    assert opener.do(made, "echo", "x") == b"x"


def test_no_connection_asks_for_maintenance_notifications(
    opener: Opener, client: redis.Redis, server: Server
) -> None:
    """redis-py's default asks each server, and stops looking for unread replies."""
    client.config_resetstat()
    opener.do(opener.open(server.url), "ping")

    assert not [name for name in client.info("commandstats") if "maint" in name]


@pytest.mark.parametrize("role", ["primary", "replica"])
def test_nothing_is_connected_before_the_first_command(opener: Opener, role: Any) -> None:
    for url in ("redis://127.0.0.1:1", "unix:///nowhere", "redis+sentinel://127.0.0.1:1/m"):
        opener.open(url, role=role)


def test_scripts_run_on_a_single_server_s_client(
    opener: Opener, client: redis.Redis, server: Server
) -> None:
    assert opener.run(opener.open(server.url), incr()) == 1
    assert client.get("{sample}") == b"1"


def test_an_acl_user_comes_from_the_url_or_from_keywords(opener: Opener, private: Server) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL SETUSER", "app", "on", ">p@ ss", "+@all")
    place = private.url.removeprefix("redis://")
    provider = redis.UsernamePasswordCredentialProvider("app", "p@ ss")

    clients = [
        opener.open(f"redis://app:p%40%20ss@{place}"),
        opener.open(f"redis://app:wrong@{place}", password="p@ ss"),
        opener.open(f"redis://other@{place}", credential_provider=provider),
    ]

    names = [opener.do(one, "acl_whoami") for one in clients]
    assert {name.decode() if isinstance(name, bytes) else name for name in names} == {"app"}


def test_a_unix_socket_is_reached(opener: Opener, server: Server) -> None:
    if server.kind == "url" or server.kind.startswith("container"):
        pytest.skip("such a server has no socket here")
    with redislua.server.start(server.kind, unix_socket=True) as private:
        made = opener.open(private.url)

        assert opener.do(made, "incr", "n") == 1
        assert opener.run(made, incr()) == 1
        opener.close()


def test_sentinels_name_the_server_of_each_role(opener: Opener, sentinel_set: SentinelSet) -> None:
    primary = opener.open(sentinel_set.url)
    replica = opener.open(sentinel_set.url, role="replica")

    assert opener.do(primary, "role")[0] == b"master"
    assert opener.do(replica, "role")[0] == b"slave"
    assert opener.run(primary, incr()) == 1
    with pytest.raises(redis.ReadOnlyError):
        opener.do(replica, "set", "n", 1)


def test_sentinels_have_credentials_of_their_own(
    opener: Opener, private_sentinel_set: SentinelSet
) -> None:
    for watcher in private_sentinel_set.watchers:
        watcher.ask("ACL SETUSER", "asker", "on", ">guess", "+@all", "allchannels")
        watcher.ask("ACL SETUSER", "default", "off")
    keywords = {"sentinel_username": "asker", "sentinel_password": "guess"}

    by_keyword = opener.open(private_sentinel_set.url, **keywords)
    by_url = opener.open(
        f"{private_sentinel_set.url}?sentinel_username=asker&sentinel_password=guess"
    )
    without = opener.open(private_sentinel_set.url, retry_for=0)

    assert opener.do(by_keyword, "set", "n", 1)
    assert opener.do(by_url, "get", "n") == b"1"
    with pytest.raises(redis.ConnectionError):
        opener.do(without, "get", "n")


@pytest.mark.parametrize(("role", "reads"), [("primary", False), ("replica", True)])
def test_in_a_cluster_the_role_decides_whether_replicas_are_read(
    opener: Opener, cluster: Cluster, role: Any, reads: bool
) -> None:
    made = opener.open(cluster.url, role=role, client_name="web-1")
    opener.do(made, "set", "n", 1)
    owner = cluster.owner("n")
    replicas = cluster.replicas_of(owner)
    for node in replicas:
        node.ask("CONFIG RESETSTAT")

    for _ in range(4):
        opener.do(made, "get", "n")

    asked = [node.ask("INFO", "commandstats") for node in replicas]
    assert any("cmdstat_get" in str(one) for one in asked) is reads
    assert opener.do(made, "set", "n", 2)


def test_a_cluster_client_that_cannot_be_made_says_why() -> None:
    with pytest.raises(redis.ConnectionError, match=re.escape("127.0.0.1:1")):
        connect("redis+cluster://127.0.0.1:1", retry_for=0)


def test_a_server_without_cluster_mode_is_told_from_one_that_does_not_answer(
    opener: Opener, client: redis.Redis, server: Server
) -> None:
    url = server.url.replace("redis://", "redis+cluster://")

    with pytest.raises(redis.exceptions.RedisClusterException, match="not enabled"):
        opener.do(opener.open(url, retry_for=0), "get", "n")
