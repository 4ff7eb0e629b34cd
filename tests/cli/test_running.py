"""Verbs that call scripts: run, test, demo, server. Each on a server of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.catalogue.samples import registry
from tests.cli.shell import ROOT, redislua

GCRA = ("limit.gcra", "subject=u", "limit=5", "period=1s", "burst=5")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text('[tool.redislua]\noutput = "generated"\n')
    return tmp_path


# --- run ---


def test_run_prints_the_typed_reply():
    done = redislua("run", *GCRA)

    assert (done.returncode, done.stdout) == (0, "Allowed remaining=4 reset_after=200ms\n")


def test_run_calls_on_the_server_of_the_url(server, client):
    words = ("limit.gcra", "subject=u", "limit=5", "period=1h", "burst=5")
    for left in (4, 3):
        done = redislua("run", *words, "--url", server.url, "--namespace", "shop")
        assert done.stdout.startswith(f"Allowed remaining={left} ")

    assert client.keys() == [b"shop:limit:{u}:gcra"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["limit.gcra", "subject=u"], 2, "limit, period, burst"),
        ([*GCRA, "cost=many"], 2, "'many' is no int"),
        ([*GCRA, "cost"], 2, "expected name=value"),
        ([*GCRA, "cost=-1"], 2, "cost=-1: expected an int in 0..1000000000"),
        ([*GCRA[:3], "period=9000h", "burst=5"], 2, "period=9000h: expected a duration"),
        ([*GCRA, "subject=b{c"], 2, "given twice"),
        (["limit.gcra", "subject=b{c", *GCRA[2:]], 2, "without '{' or '}'"),
        ([*GCRA, "colour=red"], 2, "no parameter 'colour'"),
        (["limit.nothing"], 2, "no script is called"),
        ([*GCRA, "--url", "redis://127.0.0.1:1/0", "--deadline", "0.2"], 2, "ServerUnreachable"),
        ([*GCRA, "--url", "nonsense"], 2, "--url"),
        ([*GCRA, "--server", "nonsense"], 2, "unknown kind of server"),
        ([*GCRA, "limit=5000", "period=1ms"], 2, "given twice"),
        (["limit.gcra", "subject=u", "limit=11", "period=1ms", "burst=1"], 1, "BadRateError"),
    ],
)
def test_run_with_bad_input_says_what_and_what_was_expected(words, code, text):
    done = redislua("run", *words)

    assert done.returncode == code
    assert text in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


# --- test ---


def test_every_example_of_the_catalogue_passes(server):
    kind = "embedded" if server.kind == "embedded" else server.kind

    done = redislua("test", "--server", kind)

    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d examples passed, 0 failed", done.stdout)


def test_an_example_that_does_not_hold_shows_expected_against_actual(project):
    path = project / "scripts" / "limit" / "gcra.v1.lua"
    text = path.read_text()
    path.write_text(text.replace("-> Allowed remaining=4 reset", "-> Allowed remaining=9 reset", 1))

    done = redislua("test", "limit.gcra", cwd=project)

    assert done.returncode == 1
    assert "FAIL limit/gcra.v1.lua:" in done.stdout
    assert "got Allowed remaining=4 reset_after=12000ms" in done.stdout
    assert "expected remaining = 9" in done.stdout
    assert "1 failed" in done.stdout


def test_a_key_that_is_not_declared_fails_the_test(project):
    """The reason for confinement: without it this script works until the first reshard."""
    path = project / "scripts" / "limit" / "gcra.v1.lua"
    old = "local time = redis.call('TIME')"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, f"redis.call('INCR', state .. ':calls')\n{old}", 1))

    done = redislua("test", "limit.gcra", cwd=project)

    assert done.returncode == 1
    assert "UndeclaredAccess" in done.stdout
    assert "limit:{user:1}:gcra:calls" in done.stdout


def test_test_takes_families_and_names_and_refuses_others():
    one = redislua("test", "limit.gcra", "-v")
    family = redislua("test", "limit")
    unknown = redislua("test", "limits")

    assert "ok limit/gcra.v1.lua" in one.stdout
    assert family.returncode == 0
    assert unknown.returncode == 2
    assert "no script or family is called 'limits'" in unknown.stderr


# --- demo ---


def test_demo_calls_everything_under_load_and_nobody_notices_the_flushes():
    done = redislua("demo", "--calls", "60")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(registry().scripts)} scripts: backoff (3), breaker (2), " in done.stdout
    assert re.search(r"\d+ calls by 8 callers at once, [1-9]\d* SCRIPT FLUSH", done.stdout)
    assert " 0 failed" in done.stdout
    for name in registry().names:
        assert re.search(rf"{re.escape(name)} +\d+ +\d+ +\d+ +\d+ +\d+\.\d %", done.stdout)


def test_demo_stops_when_a_script_never_ends(project):
    path = project / "scripts" / "limit" / "gcra.v1.lua"
    text = path.read_text()
    old = "local time = redis.call('TIME')"
    path.write_text(text.replace(old, f"while true do end\n{old}", 1))

    done = redislua("demo", "--calls", "10", cwd=project)

    assert done.returncode == 1
    assert "limit.gcra@1.0.0" in done.stdout
    assert "Traceback" not in done.stderr


def test_demo_exits_1_when_a_script_fails(project):
    path = project / "scripts" / "limit" / "gcra.v1.lua"
    text = path.read_text()
    path.write_text(text.replace("local time = redis.call('TIME')", "local time = nil", 1))

    done = redislua("demo", "--calls", "10", cwd=project)

    assert done.returncode == 1
    assert "ScriptFault" in done.stdout
    assert "limit/gcra.v1.lua:" in done.stdout


# --- server ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("option", [(), ("--unix",)])
def test_server_prints_its_url_and_stops_when_told(number, option):
    process = subprocess.Popen(
        [sys.executable, "-m", "redislua.cli", "server", *option],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with redis.Redis.from_url(url) as client:
            assert client.ping()
        process.send_signal(number)
        _, problems = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0
    assert "Traceback" not in problems
    with (
        redis.Redis.from_url(url, retry=None, socket_connect_timeout=1) as client,
        pytest.raises(redis.ConnectionError),
    ):
        client.ping()
