"""``redislua doctor``: what it prints, its exit codes, its decision table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result

from redislua.cli.doctor_ import command
from redislua.server import Cluster, Server
from tests.cli.shell import ROOT, redislua


def doctor(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(command, words)


def codes(done: Result) -> set[str]:
    document = json.loads(done.stdout)
    return {one["code"] for one in document["findings"] if not one["code"].startswith("CVE-")}


def healthy(server: Server) -> list[str]:
    """Make a cache without a finding of a private server, and ignore what its version has."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 100_000_000)
        client.config_set("maxmemory-policy", "allkeys-lru")
    faults = json.loads(doctor(server.url, "--format", "json").stdout)["findings"]
    return [word for one in faults for word in ("--ignore", one["code"])]


def test_a_server_with_findings_exits_1_and_shows_their_remedies(server: Server) -> None:
    done = doctor(server.url)

    assert done.exit_code == 1
    assert server.version in done.stdout
    assert "error persistence: neither AOF nor RDB" in done.stdout
    assert "  do: CONFIG SET appendonly yes" in done.stdout
    assert "warning maxmemory: maxmemory is 0" in done.stdout
    assert "judged as a database, by maxmemory-policy; --role says otherwise" in done.stdout
    assert "error" in done.stdout.splitlines()[-1]


def test_a_server_without_findings_exits_0(private: Server) -> None:
    ignored = healthy(private)

    done = doctor(private.url, *ignored)

    assert done.exit_code == 0
    assert done.stdout.rstrip().endswith("nothing found")
    assert "judged as a cache" in done.stdout


def test_notes_alone_exit_0(private: Server) -> None:
    ignored = healthy(private)
    with redis.Redis.from_url(private.url) as client:
        client.config_set("appendonly", "yes")

    done = doctor(private.url, *ignored)

    assert done.exit_code == 0
    assert done.stdout.rstrip().endswith("1 note")


def test_a_role_that_is_given_decides(private: Server) -> None:
    ignored = healthy(private)

    done = doctor(private.url, "--role", "database", *ignored)

    assert done.exit_code == 1
    assert "error eviction-policy: allkeys-lru in a database" in done.stdout
    assert "judged as" not in done.stdout


def test_families_are_held_to_what_their_keys_need(private: Server) -> None:
    ignored = healthy(private)

    cached = doctor(private.url, "--family", "cache.get_or_lock", *ignored)
    limited = doctor(private.url, "--family", "limit", *ignored)

    assert cached.exit_code == 0, cached.output
    assert limited.exit_code == 1
    assert "evicts-state: allkeys-lru may evict the keys of limit." in limited.stdout


def test_an_applications_user_is_judged_with_its_namespace(private: Server) -> None:
    ignored = healthy(private)
    words = ("--family", "cache.read", "--user", "app", "--namespace", "shop", *ignored)
    with redis.Redis.from_url(private.url) as client:
        client.execute_command("ACL", "SETUSER", "app", "on", "+evalsha", "~cache:*")
        refused = doctor(private.url, *words)
        (line,) = [one for one in refused.stdout.splitlines() if "ACL SETUSER" in one]
        client.execute_command(*line.removeprefix("  do: ").split())
        allowed = doctor(private.url, *words)

    assert refused.exit_code == 1
    assert "missing-rights: user 'app' may not run" in refused.stdout
    assert "use keys such as shop:cache:{redislua-doctor}:entry" in refused.stdout
    assert allowed.exit_code == 0, allowed.output


def test_json_has_the_facts_and_the_findings(server: Server) -> None:
    done = doctor(server.url, "--format", "json")

    document: Any = json.loads(done.stdout)
    (node,) = document["nodes"]
    assert done.exit_code == 1
    assert (node["server"], node["judged_as"], node["aof"]) == (server.version, "database", False)
    assert codes(done) == {"persistence", "maxmemory", "no-replica"}
    assert all(one["remedy"] and one["nodes"] for one in document["findings"])


def test_a_cluster_is_shown_node_by_node(bare_cluster: Cluster) -> None:
    done = doctor(bare_cluster.url)

    assert done.exit_code == 1
    for host, port in bare_cluster.addresses:
        assert f"{host}:{port}" in done.stdout
    assert done.stdout.count("error persistence") == 1


def test_a_finding_of_one_node_names_it(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[1]
    node.ask("CONFIG SET", "appendonly", "yes")
    try:
        done = doctor(bare_cluster.url)
    finally:
        node.ask("CONFIG SET", "appendonly", "no")

    (line,) = [one for one in done.stdout.splitlines() if "error persistence" in one]
    assert f"{node.host}:{node.port}" not in line
    assert line.count("127.0.0.1:") == 2


def test_a_node_that_is_down_is_a_finding(private_cluster: Cluster) -> None:
    dead = private_cluster.nodes[0]
    dead.kill()

    done = doctor(private_cluster.url)

    assert done.exit_code == 1
    assert "error unreachable: it does not answer" in done.stdout
    assert f"({dead.host}:{dead.port})" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_decision_table_needs_no_server() -> None:
    done = doctor("--explain")

    assert done.exit_code == 0
    for text in (
        "cache.get_or_lock fill abandon",
        "limit.gcra token_bucket",
        "the subject has its full burst again",
        "noeviction",
        "takes 1 from a counter",
        "cache:{<key>}:document",
    ):
        assert text in done.stdout


def test_without_a_url_the_verb_says_what_it_needs() -> None:
    done = doctor()

    assert done.exit_code == 2
    assert "give the URL of a server, or --explain" in done.stderr


def test_a_family_that_is_not_there_is_refused(server: Server) -> None:
    done = doctor(server.url, "--family", "limits")

    assert done.exit_code == 2
    assert "no script or family is called 'limits'" in done.stderr


def test_a_projects_own_families_are_known(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redislua("init", cwd=tmp_path).returncode == 0
    shutil.copytree(ROOT / "scripts" / "limit", tmp_path / "scripts" / "limit")
    monkeypatch.chdir(tmp_path)

    done = doctor(server.url, "--family", "tickets", "--family", "limit", "--family", "cache")

    assert done.exit_code == 1
    assert "missing-rights" not in done.stdout
