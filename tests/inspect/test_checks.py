"""What the doctor finds, each thing on a server that has it and on one that has not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.inspect.checks import Expected, role_of
from redislua.inspect.facts import Clock
from redislua.server import Server, start
from redislua.spec.registry import from_sources, load
from tests.cli.shell import ROOT
from tests.inspect.samples import CONFIG, examined, facts, found

CATALOGUE = load(ROOT / "scripts")
CACHE = Expected("cache")
DATABASE = Expected("database")
FRESH = {"persistence", "maxmemory", "no-replica"}
"""What is wrong with a database that was started for a test."""


def named(*names: str) -> Expected:
    return Expected(None, tuple(one for one in CATALOGUE.scripts if one.full_name in names))


def without_cves(codes: Any) -> set[str]:
    return {code for code in codes if not code.startswith("CVE-")}


# --- real servers ---


def test_a_server_in_order_gives_no_finding() -> None:
    assert found(facts()) == {}
    assert found(facts(maxmemory_policy="allkeys-lru", aof_enabled=0), CACHE) == {}


def test_a_fresh_server_is_no_database(server: Server) -> None:
    of = examined(server)

    assert of.server == server.version
    assert without_cves(found(of)) == FRESH
    assert found(of)["persistence"].severity == "error"


def test_published_faults_are_those_of_the_servers_version(server: Server) -> None:
    codes = {code for code in found(examined(server)) if code.startswith("CVE-")}

    if server.version.startswith("Redis 7.0."):
        assert "CVE-2025-49844" in codes
    elif server.version == "Redis 8.2.3":
        assert codes == {"CVE-2026-23631"}
    elif server.version in ("Valkey 9.1.2", "Valkey 8.1.8"):
        assert codes == set()


def test_a_cache_in_order_gives_no_finding(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory", 100_000_000)
        client.config_set("maxmemory-policy", "allkeys-lfu")

    assert without_cves(found(examined(private))) == set()


def test_a_database_with_aof_and_rdb_lacks_only_a_replica(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory", 100_000_000)
        client.config_set("appendonly", "yes")
        client.config_set("save", "3600 1")
        client.config_set("appendfsync", "always")

    assert without_cves(found(examined(private))) == {"no-replica"}


def test_evictions_in_a_database_are_told(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", int(client.info()["used_memory"]) + 1_000_000)
        for number in range(1_000):
            client.set(f"k{number}", "x" * 2_000)
        client.config_set("maxmemory-policy", "noeviction")

    codes = found(examined(private))

    assert codes["evicted-keys"].severity == "warning"
    assert codes["nearly-full"].severity == "error"


def test_scripts_that_are_made_up_are_told(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client, client.pipeline(transaction=False) as pipe:
        for number in range(1_100):
            pipe.script_load(f"return {number}")
        for number in range(600):
            pipe.eval(f"return 'x{number}'", 0)
        pipe.execute()

    of = examined(private)
    codes = found(of)

    assert "many-scripts" in codes
    # Redis evicts scripts since 7.4 and says so.
    assert ("evicted-scripts" in codes) == (of.number("evicted_scripts") is not None)


def test_a_failing_save_is_told(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        place: Any = client.config_get("dir", "dbfilename")
        (Path(place["dir"]) / place["dbfilename"]).mkdir()
        client.set("k", "v")
        client.bgsave()
        while client.info()["rdb_last_bgsave_status"] == "ok":
            time.sleep(0.01)

    assert found(examined(private))["not-persisted"].severity == "error"


def test_a_replica_is_told(server: Server) -> None:
    if server.kind == "url":
        pytest.skip("needs two servers")
    with start(server.kind) as primary, start(server.kind) as other:
        host, _, port = primary.url.removeprefix("redis://").removesuffix("/0").partition(":")
        with redis.Redis.from_url(other.url) as client:
            client.execute_command("REPLICAOF", host, port)
            client.config_set("replica-read-only", "no")
        codes = found(examined(other))
        primary.stop()
        with redis.Redis.from_url(other.url) as client:
            client.execute_command("REPLICAOF", host, port)
        lost = found(examined(other))

    assert {"replica", "writable-replica"} <= set(codes)
    assert lost["link-down"].severity == "error"


# --- what a running server cannot easily be made to say ---


@pytest.mark.parametrize(
    ("said", "expected", "code", "severity"),
    [
        ({"maxmemory_policy": "noeviction"}, CACHE, "eviction-policy", "error"),
        ({"maxmemory_policy": "volatile-lru"}, CACHE, "eviction-policy", "warning"),
        ({"maxmemory_policy": "allkeys-lru"}, DATABASE, "eviction-policy", "error"),
        ({"maxmemory_policy": "volatile-ttl"}, DATABASE, "eviction-policy", "error"),
        ({"maxmemory": 0}, CACHE, "maxmemory", "error"),
        ({"maxmemory": 0}, DATABASE, "maxmemory", "warning"),
        ({"maxmemory": 16 << 30}, DATABASE, "maxmemory", "error"),
        ({"used_memory": 950 << 20}, DATABASE, "nearly-full", "error"),
        ({"aof_enabled": 1, "maxmemory_policy": "allkeys-lru"}, CACHE, "persistence", "note"),
        ({"aof_last_write_status": "err"}, DATABASE, "not-persisted", "error"),
        ({"rdb_last_bgsave_status": "err"}, CACHE, "not-persisted", "error"),
        ({"connected_slaves": 0}, DATABASE, "no-replica", "warning"),
        ({"slave0": {"state": "wait_bgsave"}}, DATABASE, "replica-behind", "warning"),
        ({"slave0": {"state": "online", "lag": 60}}, DATABASE, "replica-behind", "warning"),
        ({"evicted_scripts": 3}, DATABASE, "evicted-scripts", "warning"),
        ({"number_of_cached_scripts": 5_000}, DATABASE, "many-scripts", "warning"),
        ({"role": "slave", "master_link_status": "down"}, DATABASE, "link-down", "error"),
    ],
)
def test_each_thing_is_found_and_alone(
    said: dict[str, Any], expected: Expected, code: str, severity: str
) -> None:
    usual = found(facts(), expected)

    codes = found(facts(**said), expected)

    assert codes[code].severity == severity
    assert codes[code].remedy
    assert set(codes) - set(usual) <= {code, "replica"}


@pytest.mark.parametrize(
    ("config", "aof", "code", "severity"),
    [
        ({"appendfsync": "no"}, 1, "fsync", "warning"),
        ({"appendfsync": "everysec"}, 1, "fsync", "note"),
        ({"save": ""}, 0, "persistence", "error"),
        ({"save": "3600 1"}, 0, "persistence", "warning"),
        ({"min-replicas-to-write": "0"}, 1, "unguarded-failover", "note"),
    ],
)
def test_settings_are_judged(config: dict[str, str], aof: int, code: str, severity: str) -> None:
    codes = found(facts(config, aof_enabled=aof), DATABASE)

    assert (set(codes), codes[code].severity) == ({code}, severity)


@pytest.mark.parametrize(
    ("offset", "uncertainty", "expected"),
    [(0.5, 0.001, False), (1.5, 0.001, True), (-90.0, 0.001, True), (1.5, 0.8, False)],
)
def test_a_clock_is_wrong_when_the_way_there_does_not_explain_it(
    offset: float, uncertainty: float, expected: bool
) -> None:
    codes = found(facts(clock=Clock(offset, uncertainty)))

    assert ("clock" in codes) is expected
    if expected:
        assert ("ahead of" if offset > 0 else "behind") in codes["clock"].text


def test_a_server_that_may_not_be_asked_everything_is_judged_by_what_it_says() -> None:
    of = facts(dict.fromkeys(CONFIG, ""), clock=None)

    assert found(facts(config={}, clock=None)) == {}
    assert "fsync" not in found(of)
    refused = found(facts(config={}, refused=frozenset({"CONFIG GET"})))
    assert (set(refused), refused["not-told"].severity) == ({"not-told"}, "note")


@pytest.mark.parametrize(
    ("product", "version"), [("Redis", (6, 2, 20)), ("Valkey", (7, 1, 0)), ("Redis", (5, 0, 14))]
)
def test_what_is_older_than_shebangs_is_too_old(product: str, version: tuple[int, ...]) -> None:
    assert found(facts(product=product, version=version))["too-old"].severity == "error"


def test_a_broken_cluster_is_told() -> None:
    state = {"cluster_state": "fail", "cluster_slots_ok": "10923"}
    members = {
        "10.0.0.1:6379": frozenset({"master", "fail"}),
        "10.0.0.2:6379": frozenset({"slave", "fail?"}),
        "10.0.0.3:6379": frozenset({"myself", "master"}),
    }

    codes = found(facts(cluster=state, members=members))
    fine = found(facts(cluster={"cluster_state": "ok", "cluster_slots_ok": "16384"}))

    assert "5461 slots are not served" in codes["cluster-state"].text
    assert codes["node-down"].severity == "error"
    assert fine == {}


# --- roles and families ---


def test_without_a_role_the_eviction_policy_decides() -> None:
    cache, database = facts(maxmemory_policy="volatile-lru"), facts()

    assert (role_of(cache, Expected()), role_of(database, Expected())) == ("cache", "database")
    assert role_of(cache, DATABASE) == "database"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-lrm"])
def test_operations_whose_keys_must_stay_are_found_on_a_server_that_evicts(policy: str) -> None:
    """P33: a lock and a limiter were evicted although they had ten minutes to live."""
    of = facts(maxmemory_policy=policy, aof_enabled=0)

    limiter = found(of, named("limit.gcra", "limit.increment_with_limit", "cache.get_or_lock"))
    cached = found(of, named("cache.get_or_lock", "cache.fill", "cache.read"))

    assert limiter["evicts-state"].severity == "error"
    assert "limit." in limiter["evicts-state"].text
    assert "evicts-state" not in cached
    assert "evicts-state" not in found(facts(), named("limit.gcra"))


def test_documents_of_the_cache_family_must_stay_as_well() -> None:
    names = [one.full_name for one in CATALOGUE.scripts if one.family == "cache"]
    codes = found(facts(maxmemory_policy="allkeys-lru", aof_enabled=0), named(*names))

    assert "cache.conditional_update" in codes["evicts-state"].text
    assert "get_or_lock" not in codes["evicts-state"].text


def test_a_script_that_needs_a_newer_server_is_told() -> None:
    source = (ROOT / "scripts" / "limit" / "gcra.v1.lua").read_bytes()
    source = source.replace(b"-- @example", b"-- @requires redis>=8.4 valkey>=9.0\n-- @example", 1)
    expected = Expected(None, from_sources({"limit/gcra.v1.lua": source}, root=ROOT).scripts)

    old = found(facts(version=(8, 1, 8)), expected)

    assert "valkey>=9.0; the server is valkey 8.1.8" in old["needs-newer"].text
    assert found(facts(), expected) == {}
