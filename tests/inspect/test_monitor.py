"""Rounds over several servers, alive and dead."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from redislua.bindings import cache
from redislua.inspect.monitor import Monitor, described
from redislua.inspect.slow import Names
from redislua.patterns.nodes import connect_each
from redislua.runtime import run
from redislua.runtime.watching.alarms import Thresholds
from redislua.server import Cluster, Server
from redislua.spec.registry import load
from tests.cli.shell import ROOT

NAMES = Names(load(ROOT / "scripts").scripts)


def test_the_first_round_has_no_window_and_the_second_has(
    client: redis.Redis, server: Server
) -> None:
    monitor = Monitor(connect_each(server.url), NAMES, Thresholds())
    client.set("k", "v")

    first = monitor.look()
    client.get("k")
    client.get("none")
    second = monitor.look()

    assert [look.window for look in first.looks] == [None]
    (look,) = second.looks
    assert look.window is not None
    assert (look.window.lookups, look.window.hit_rate) == (2, 0.5)
    assert second.alarms == ()


def test_alarms_are_of_the_window(client: redis.Redis, server: Server) -> None:
    monitor = Monitor(connect_each(server.url), NAMES, Thresholds(least_lookups=5))
    monitor.look()
    for number in range(10):
        run(client, cache.read(key=f"k{number}"))
    missing = monitor.look()
    idle = monitor.look()

    assert [alarm.kind for alarm in missing.alarms] == ["hit-rate"]
    assert idle.alarms == ()


def test_every_node_of_a_cluster_has_its_own_figures(bare_cluster: Cluster) -> None:
    monitor = Monitor(connect_each(bare_cluster.url), NAMES, Thresholds())
    monitor.look()
    owner = bare_cluster.owner("k")
    owner.ask("GET", "k")

    found = monitor.look()

    lookups = {look.node: look.window.lookups for look in found.looks if look.window is not None}
    assert len(lookups) == 3
    assert [name for name, count in lookups.items() if count] == [f"{owner.host}:{owner.port}"]


def test_a_node_that_dies_is_part_of_the_round_and_comes_back(private_cluster: Cluster) -> None:
    node = private_cluster.primaries()[0]
    name = f"{node.host}:{node.port}"
    monitor = Monitor(connect_each(private_cluster.url, retry_for=0), NAMES, Thresholds())
    monitor.look()

    node.kill()
    without = {look.node: look for look in monitor.look().looks}
    node.restart()
    back = {look.node: look for look in monitor.look().looks}

    assert isinstance(without[name].error, redis.ConnectionError)
    assert sum(look.reading is None for look in without.values()) == 1
    assert back[name].reading is not None
    # Its counts began anew, and what it did before is not known.
    assert back[name].window is None
    assert all(look.window for other, look in back.items() if other != name)


def test_when_nothing_answers_the_round_says_why(server: Server) -> None:
    alone = Monitor(connect_each("redis://127.0.0.1:1", retry_for=0), NAMES, Thresholds())
    alive = Monitor(connect_each(server.url), NAMES, Thresholds())

    assert isinstance(alone.look().error, redis.ConnectionError)
    assert alive.look().error is None


@pytest.mark.parametrize("protocol", [2, 3])
def test_slow_scripts_are_named_and_the_threshold_is_told(server: Server, protocol: int) -> None:
    with redis.Redis.from_url(server.url, protocol=protocol) as client:
        client.slowlog_reset()
        client.config_set("slowlog-log-slower-than", 0)
        run(client, cache.read(key="k"))
        found = Monitor({"n": client}, NAMES, Thresholds(), top=3).look()
        client.config_set("slowlog-log-slower-than", -1)
        off = Monitor({"n": client}, NAMES, Thresholds(), top=0).look()
        client.config_set("slowlog-log-slower-than", 10_000)

    assert "cache.read@1.0.0" in [one.name for one in found.scripts]
    assert (found.threshold, off.threshold) == (0, -1)
    assert off.scripts == ()


def test_a_user_who_may_run_info_alone_sees_the_figures(private: Server) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL", "SETUSER", "app", "on", ">x", "+info", "+ping")
    url = private.url.replace("redis://", "redis://app:x@")

    with redis.Redis.from_url(url) as client:
        found = Monitor({"n": client}, NAMES, Thresholds()).look()

    assert found.looks[0].reading is not None
    assert (found.threshold, found.scripts) == (None, ())


def test_a_user_who_may_not_run_info_learns_why(private: Server) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL", "SETUSER", "app", "on", ">x", "+ping")
    url = private.url.replace("redis://", "redis://app:x@")

    with redis.Redis.from_url(url) as client:
        found = Monitor({"n": client}, NAMES, Thresholds()).look()

    assert isinstance(found.error, redis.exceptions.NoPermissionError)
    assert [alarm.kind for alarm in found.alarms] == ["unreachable"]


def test_a_round_is_described_for_machines(client: redis.Redis, server: Server) -> None:
    clients = {**connect_each(server.url), **connect_each("redis://127.0.0.1:1", retry_for=0)}
    monitor = Monitor(clients, NAMES, Thresholds())
    monitor.look()
    client.get("none")

    document: Any = json.loads(json.dumps(described(monitor.look())))

    first, second = document["nodes"]
    assert first["window"]["lookups"] == 1
    assert first["window"]["hit_rate"] == 0
    assert first["policy"] == "noeviction"
    assert "127.0.0.1:1" in second["error"]
    assert document["slowlog_threshold_us"] == 10_000
