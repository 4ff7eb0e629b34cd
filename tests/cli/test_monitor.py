"""``redislua monitor``: one window for scripts, a live view for people."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result

from redislua.bindings import limit
from redislua.cli.monitor_ import command
from redislua.runtime import run
from redislua.server import Cluster, Server
from tests.cli.shell import ROOT, redislua

ONCE = ("--once", "--interval", "0.2")


def monitor(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(command, [*words, *ONCE])


def test_one_window_of_an_idle_server_is_no_alarm(client: redis.Redis, server: Server) -> None:
    client.set("k", "v")

    done = monitor(server.url, "--least-lookups", "1")

    assert done.exit_code == 0, done.output
    assert "idle" in done.stdout
    assert "no maxmemory" in done.stdout
    assert "SLOWLOG keeps what takes 10 ms or more" in done.stdout


def test_an_alarm_exits_1_and_says_what_helps(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory", client.info()["used_memory"] + 100_000)

    done = monitor(private.url, "--memory", "0.5")

    assert done.exit_code == 1
    assert "memory: " in done.stdout
    assert "raise maxmemory" in done.stdout


def test_slow_scripts_are_shown_by_name(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("slowlog-log-slower-than", 0)
        run(client, limit.gcra(subject="u", limit=5, period=1_000, burst=5))
        client.eval("-- Count all things.\nreturn 1", 0)

    done = monitor(private.url)
    none = monitor(private.url, "--top", "0")

    assert "limit.gcra@1.0.0" in done.stdout
    assert "EVAL Count all things." in done.stdout
    assert "limit.gcra" not in none.stdout


def test_json_is_one_document_a_window(server: Server) -> None:
    done = monitor(server.url, "--json")

    (line,) = done.stdout.splitlines()
    document: Any = json.loads(line)
    assert document["nodes"][0]["window"]["seconds"] >= 0.2
    assert document["alarms"] == []


def test_every_node_of_a_cluster_is_shown(bare_cluster: Cluster) -> None:
    done = monitor(bare_cluster.url)

    assert done.exit_code == 0
    for host, port in bare_cluster.addresses:
        assert f"{host}:{port}" in done.stdout


def start(*words: str, **options: Any) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "redislua.cli", "monitor", *words, "--interval", "0.1"]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm-256color"}
    return subprocess.Popen(program, cwd=ROOT, env=environment, **options)


def test_without_a_terminal_windows_follow_one_another_until_ctrl_c(server: Server) -> None:
    process = start(server.url, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    windows = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=30)

    assert all(one["nodes"][0]["window"] for one in windows)
    assert (process.returncode, problems) == (0, b"")


def test_the_live_view_outlives_the_server_until_ctrl_c(private: Server) -> None:
    ours, theirs = pty.openpty()
    process = start(private.url, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    try:
        _read_until(ours, b"idle")
        private.stop()
        _read_until(ours, b"cannot be reached")
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
    finally:
        process.kill()
        os.close(ours)

    assert code == 0


def _read_until(terminal: int, text: bytes) -> None:
    """Read what is shown until a text comes; a terminal that ends is a failure."""
    seen = b""
    deadline = time.monotonic() + 30
    while text not in seen:
        assert time.monotonic() < deadline, seen
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            seen += os.read(terminal, 65_536)


@pytest.mark.parametrize(
    "words", [("--interval", "0"), ("--hit-rate", "2"), ("--memory", "-1"), ("--top", "-1")]
)
def test_options_that_cannot_be_are_refused(words: tuple[str, ...]) -> None:
    done = redislua("monitor", "redis://127.0.0.1:1", *words)

    assert done.returncode == 2
    assert words[0] in done.stderr
    assert "Traceback" not in done.stderr
