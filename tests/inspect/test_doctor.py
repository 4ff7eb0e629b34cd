"""Several servers at once, and those that do not answer."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from redislua.inspect.checks import Expected
from redislua.inspect.doctor import Diagnosis, Request, _together, described, diagnose
from redislua.inspect.facts import Clock, examine
from redislua.inspect.finding import Finding, merged
from redislua.patterns.nodes import connect_each
from redislua.server import Cluster, Server
from redislua.spec.registry import load
from tests.cli.shell import ROOT
from tests.inspect import samples
from tests.runtime.proxy import Proxy

WHOLE = Request(is_cluster=True)


def codes(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {one.code: one for one in diagnosis.findings}


@pytest.fixture
def url(server: Server) -> str:
    return server.url


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decoded", [False, True])
def test_the_same_is_read_whatever_the_client_makes_of_replies(
    server: Server, protocol: int, decoded: bool
) -> None:
    with redis.Redis.from_url(server.url) as usual:
        expected = examine("n", usual)
    with redis.Redis.from_url(server.url, protocol=protocol, decode_responses=decoded) as client:
        facts = examine("n", client)

    assert (facts.server, facts.user, facts.config) == (server.version, "default", expected.config)
    assert facts.config["save"] == ""
    assert facts.clock is not None
    assert abs(facts.clock.offset) <= facts.clock.uncertainty + 0.1
    assert facts.refused == frozenset()


def test_looking_changes_nothing(client: redis.Redis, server: Server, dataset: Any) -> None:
    client.set("k", "v")
    before = dataset(), client.config_get("*"), client.acl_list()

    diagnose({"n": client}, Request(Expected("cache")))

    assert (dataset(), client.config_get("*"), client.acl_list()) == before
    assert client.info()["number_of_cached_scripts"] == 0


def test_a_cluster_in_order_is_looked_at_node_by_node(bare_cluster: Cluster) -> None:
    clients = connect_each(bare_cluster.url)

    diagnosis = diagnose(clients, WHOLE)

    found = codes(diagnosis)
    assert [one.node for one in diagnosis.facts] == list(clients)
    assert {one.cluster["cluster_state"] for one in diagnosis.facts} == {"ok"}
    assert len(diagnosis.facts[0].members) == 3
    assert set(found["persistence"].nodes) == set(clients)
    assert not {"cluster-state", "node-down", "unreachable", "one-node"} & set(found)


def test_one_node_of_a_cluster_is_not_taken_for_all(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[0]

    diagnosis = diagnose(connect_each(node.url), Request())

    assert codes(diagnosis)["one-node"].severity == "note"
    assert f"redis+cluster://{node.host}:{node.port}" in codes(diagnosis)["one-node"].remedy


def test_a_node_that_died_is_a_finding_and_the_others_tell_of_it(
    private_cluster: Cluster,
) -> None:
    dead = private_cluster.primaries()[0]
    name = f"{dead.host}:{dead.port}"
    clients = connect_each(private_cluster.url, retry_for=0)
    dead.kill()

    diagnosis = diagnose(clients, WHOLE)

    found = codes(diagnosis)
    assert found["unreachable"].nodes == (name,)
    assert len(diagnosis.facts) == 5
    assert not diagnosis.is_healthy


def test_when_nothing_answers_that_is_no_diagnosis() -> None:
    clients = connect_each("redis://127.0.0.1:1", retry_for=0)

    with pytest.raises(redis.ConnectionError):
        diagnose(clients, Request())


@pytest.mark.parametrize("command", [b"INFO", b"CONFIG", b"TIME", b"WHOAMI"])
def test_a_server_that_dies_in_the_middle_is_no_diagnosis(proxy: Proxy, command: bytes) -> None:
    clients = connect_each(proxy.url, retry_for=0)
    proxy.arm("drop_reply", pattern=command)

    with pytest.raises(redis.ConnectionError):
        diagnose(clients, Request())
    assert proxy.met == 1


def test_findings_can_be_ignored(url: str) -> None:
    everything = codes(diagnose(connect_each(url), Request()))

    some = codes(diagnose(connect_each(url), Request(ignored=["persistence", "no-replica"])))

    assert set(everything) - set(some) == {"persistence", "no-replica"}


def test_rights_are_looked_at_on_every_node(bare_cluster: Cluster) -> None:
    scripts = load(ROOT / "scripts").scripts
    for node in bare_cluster.nodes:
        node.ask("ACL SETUSER", "app", "reset", "on", ">x", "+evalsha", "~*")
    try:
        diagnosis = diagnose(
            connect_each(bare_cluster.url), Request(Expected(None, scripts), user="app")
        )
    finally:
        for node in bare_cluster.nodes:
            node.ask("ACL DELUSER", "app")

    missing = codes(diagnosis)["missing-rights"]
    assert len(missing.nodes) == 3
    assert "+cluster|slots" in missing.remedy


def test_clocks_that_disagree_are_found() -> None:
    ahead = samples.facts(node="a", clock=Clock(0.8, 0.01))
    behind = samples.facts(node="b", clock=Clock(-0.9, 0.01))
    vague = samples.facts(node="c", clock=Clock(-0.9, 0.9))

    (apart,) = _together([ahead, behind], Request())

    assert (apart.code, apart.nodes) == ("clocks-apart", ("b", "a"))
    assert "1.7 s apart" in apart.text
    assert list(_together([ahead], Request())) == []
    assert list(_together([ahead, vague], Request())) == []


def test_what_several_servers_have_is_said_once_and_the_worst_first() -> None:
    note = Finding("a", "note", "x", "y", ("1",))
    error = Finding("b", "error", "x", "y", ("1",))

    found = merged([note, error, Finding("a", "note", "x", "y", ("2", "1"))])

    assert [(one.code, one.nodes) for one in found] == [("b", ("1",)), ("a", ("1", "2"))]


def test_the_facts_are_described_with_what_is_not_known_as_none(server: Server) -> None:
    (client,) = connect_each(server.url).values()
    real = described(examine("n", client), Expected())
    silent = described(samples.facts(config={}, clock=None, maxmemory=None), Expected())

    assert real["server"] == server.version
    assert real["judged_as"] == "database"
    assert real["maxmemory"] == 0
    assert (silent["clock_offset"], silent["maxmemory"]) == (None, None)
