"""What an eviction monitor sees, as Prometheus reads it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry, Gauge

from redislua.errors import ConfigError
from redislua.patterns.eviction import EvictionMonitor
from redislua.runtime.watching.prometheus import ServerGauges
from redislua.server import Server


def value(registry: CollectorRegistry, name: str, node: str) -> Any:
    return registry.get_sample_value(f"redislua_server_{name}", {"node": node})


def test_each_look_is_shown(client: redis.Redis, server: Server) -> None:
    registry = CollectorRegistry()
    monitor = EvictionMonitor(client, on_look=ServerGauges(registry=registry))
    client.set("k", "v")

    (first,) = monitor.look()
    unknown = value(registry, "hit_rate", first.node)
    client.get("k")
    client.get("none")
    monitor.look()

    assert math.isnan(unknown)
    assert value(registry, "hit_rate", first.node) == 0.5
    assert value(registry, "up", first.node) == 1
    assert value(registry, "keys", first.node) == 1
    assert value(registry, "maxmemory_bytes", first.node) == 0
    assert value(registry, "memory_bytes", first.node) > 0
    assert value(registry, "evicted_per_second", first.node) == 0


def test_a_server_that_is_away_is_down_and_the_rest_is_not_known() -> None:
    registry = CollectorRegistry()
    with redis.Redis(port=1) as client:
        EvictionMonitor(
            client, on_look=ServerGauges(registry=registry), on_alarm=lambda _: None
        ).look()

    assert value(registry, "up", "localhost:1") == 0
    assert math.isnan(value(registry, "keys", "localhost:1"))


def test_instances_with_one_registry_share_its_gauges() -> None:
    registry = CollectorRegistry()

    ServerGauges(registry=registry)
    ServerGauges(registry=registry)
    ServerGauges(registry=CollectorRegistry())


def test_a_name_that_is_taken_is_said_and_nothing_stays_behind() -> None:
    registry = CollectorRegistry()
    taken = Gauge("redislua_server_keys", "mine", registry=registry)

    with pytest.raises(ConfigError, match="redislua_server_keys"):
        ServerGauges(registry=registry)
    registry.unregister(taken)

    ServerGauges(registry=registry)
