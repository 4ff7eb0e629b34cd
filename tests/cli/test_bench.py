"""``redislua bench``: the table, its document, and nothing left on the server."""

from __future__ import annotations

import json
from typing import Any

import redis
from click.testing import CliRunner, Result

from redislua.cli.bench_ import command
from redislua.server import Cluster, Server


def bench(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(command, [*words, "--rounds", "20"])


def test_the_table_stands_beside_what_is_quoted(client: redis.Redis, server: Server) -> None:
    done = bench(server.url)

    assert done.exit_code == 0, done.output
    rows = {line[:24].strip(): line for line in done.stdout.splitlines()}
    assert "0.1-0.5" in rows["GET"]
    assert "1-3" in rows["a pipeline of 100 GETs"]
    assert "not run" in rows["KEYS pattern"]
    assert any(word in rows["ZRANK"] for word in ("quicker", "as quoted", "slower"))
    assert "Of k keys it merges the sketches" in done.stdout
    assert "SCAN is O(COUNT) a call" in done.stdout
    assert client.dbsize() == 0


def test_json_is_one_document(server: Server) -> None:
    done = bench(server.url, "--json")

    document: Any = json.loads(done.stdout)
    by_name = {one["name"]: one for one in document["operations"]}
    assert document["rounds"] == 20
    assert by_name["GET"]["quoted_ms"] == [0.1, 0.5]
    assert by_name["PING"]["quoted_ms"] is None
    assert 0 < by_name["GET"]["p50_ms"] <= by_name["GET"]["p99_ms"]


def test_a_cluster_is_measured_on_one_of_its_nodes(bare_cluster: Cluster) -> None:
    done = bench(bare_cluster.url)

    assert done.exit_code == 0, done.output
    names = {f"{host}:{port}" for host, port in bare_cluster.addresses}
    assert done.stdout.split(",")[0] in names
    assert [node.ask("DBSIZE") for node in bare_cluster.nodes] == [0, 0, 0]
