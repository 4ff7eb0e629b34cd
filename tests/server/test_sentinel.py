"""A Sentinel set serves, fails over, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis
from redis.sentinel import Sentinel

from redislua.errors import ServerUnavailable
from redislua.server import SentinelSet, Server, start_sentinel
from tests.rig.fixtures import OfSession
from tests.server.traces import Traces, traces_of, traces_printed, until

PROGRAM = """
import signal, sys
from redislua.server import start_sentinel

opened = start_sentinel()
for node in opened.nodes:
    print(node.ask("INFO", "server")["process_id"], node.port, node.ask("CONFIG GET", "dir")["dir"])
for node in opened.watchers:
    answer = node.ask("INFO", "server")
    print(answer["process_id"], node.port, answer["config_file"].rpartition("/")[0])
sys.stdout.flush()
"""


def test_a_set_is_in_order_and_its_parts_know_each_other(sentinel_set: SentinelSet) -> None:
    primary = sentinel_set.primary()

    assert sentinel_set.problem() is None
    assert len(sentinel_set.nodes) == 2
    assert len(sentinel_set.sentinels) == 3
    assert [primary, *sentinel_set.replicas()] in (
        list(sentinel_set.nodes),
        list(sentinel_set.nodes)[::-1],
    )


def test_its_url_names_the_sentinels_and_the_primarys_name(sentinel_set: SentinelSet) -> None:
    places = ",".join(f"{host}:{port}" for host, port in sentinel_set.sentinels)

    assert sentinel_set.url == f"redis+sentinel://{places}/mymaster"
    assert sentinel_set.name == "mymaster"


def test_it_says_what_it_is(sentinel_set: SentinelSet, server: Server) -> None:
    assert (sentinel_set.kind, sentinel_set.version) == (server.kind, server.version)


def test_a_client_finds_the_primary_and_writes_reach_the_replica(
    sentinel_set: SentinelSet,
) -> None:
    found = Sentinel(sentinel_set.sentinels, decode_responses=True)
    with found.master_for("mymaster") as client:
        client.set("key", "value")
        assert client.wait(1, 5000) == 1

    [replica] = sentinel_set.replicas()
    assert sentinel_set.primary().ask("GET", "key") == "value"
    assert replica.ask("GET", "key") == "value"
    with pytest.raises(redis.exceptions.ReadOnlyError):
        replica.ask("SET", "key", "other")
    for one in found.sentinels:
        one.close()


def test_a_planned_failover_swaps_the_roles_and_keeps_what_was_written(
    sentinel_set: SentinelSet,
) -> None:
    old = sentinel_set.primary()
    [heir] = sentinel_set.replicas()
    with old.connected() as writer:
        writer.set("key", "kept")
        writer.wait(1, 5000)

    assert sentinel_set.failover() is heir

    assert sentinel_set.problem() is None
    assert sentinel_set.primary() is heir
    assert heir.ask("GET", "key") == "kept"
    with pytest.raises(redis.exceptions.ReadOnlyError):
        old.ask("SET", "key", "lost")


def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(
    private_sentinel_set: SentinelSet,
) -> None:
    opened = private_sentinel_set
    old = opened.primary()
    [heir] = opened.replicas()
    with old.connected() as writer:
        writer.set("key", "kept")
        writer.wait(1, 5000)

    old.kill()

    until(lambda: opened.primary() is heir, "the replica is promoted")
    assert heir.ask("GET", "key") == "kept"
    assert opened.problem() == f"{old} does not run"
    old.restart()
    assert old.ask("DBSIZE") == 0
    opened.await_ready()
    assert opened.primary() is heir
    assert old.ask("GET", "key") == "kept"


def test_a_suspended_primary_is_replaced_and_demoted_when_it_goes_on(
    private_sentinel_set: SentinelSet,
) -> None:
    opened = private_sentinel_set
    old = opened.primary()
    [heir] = opened.replicas()

    old.suspend()

    until(lambda: opened.primary() is heir, "the replica is promoted")
    old.resume()
    opened.await_ready()
    assert opened.primary() is heir


def test_sentinels_can_die_and_come_back(private_sentinel_set: SentinelSet) -> None:
    opened = private_sentinel_set
    first, second, _ = opened.watchers
    primary = opened.primary()

    first.kill()
    second.suspend()

    assert opened.primary() is primary
    second.resume()
    first.restart()
    opened.await_ready()
    assert opened.primary() is primary


def test_nothing_is_left_after_stop(server: Server) -> None:
    with start_sentinel(server.kind, sentinels=1, name="my-primary.1") as opened:
        traces = [traces_of(node) for node in opened.nodes]
        answer: Any = opened.watchers[0].ask("INFO", "server")
        folder = Path(answer["config_file"]).parent
        traces.append(Traces(answer["process_id"], folder, opened.watchers[0].port))
        assert opened.url.endswith("/my-primary.1")
        opened.nodes[0].suspend()
        opened.nodes[1].kill()

    assert [one for one in traces if not one.are_gone()] == []
    opened.stop()
    with pytest.raises(ServerUnavailable, match="no sentinel answers"):
        opened.primary()


def test_a_set_ends_with_its_process() -> None:
    traces = traces_printed(f"{PROGRAM}signal.raise_signal(signal.SIGKILL)")

    assert len(traces) == 5
    for one in traces:
        until(one.are_gone, f"{one} is gone")


def test_several_replicas_follow_the_new_primary_and_options_reach_them() -> None:
    with start_sentinel(replicas=2, config={"maxmemory": "20mb"}) as opened:
        new = opened.failover()

        assert [node.ask("ROLE")[0] for node in opened.replicas()] == ["slave", "slave"]
        assert new.ask("ROLE")[0] == "master"
        for node in opened.nodes:
            assert node.ask("CONFIG GET", "maxmemory") == {"maxmemory": "20971520"}


@pytest.mark.parametrize(
    "arguments", [{"replicas": -1}, {"sentinels": 0}, {"name": ""}, {"name": "a b"}]
)
def test_impossible_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        start_sentinel(**arguments)


@pytest.mark.parametrize("name", ["port", "dir", "replicaof", "cluster-enabled"])
def test_options_that_start_sentinel_decides_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"config: '{name}' is decided by start_sentinel"):
        start_sentinel(config={name: "x"})


def test_containers_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(ServerUnavailable, match="of plain processes, not of containers"):
        start_sentinel("container:redis:8.2")
    with pytest.raises(ServerUnavailable, match="unknown kind of Sentinel set 'redis'"):
        start_sentinel("redis")


def test_a_server_that_does_not_start_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(ServerUnavailable, match="argument must be a memory value"):
        start_sentinel(config={"maxmemory": "lots"})

    assert list(tmp_path.iterdir()) == []


def test_a_shared_set_that_a_test_broke_is_replaced(
    sentinel_of_session: OfSession[SentinelSet],
) -> None:
    broken = sentinel_of_session.lend()
    broken.watchers[0].kill()

    sentinel_of_session.inspect()

    fresh = sentinel_of_session.lend()
    assert fresh is not broken
    assert not broken.nodes[0].is_running
    assert fresh.problem() is None
