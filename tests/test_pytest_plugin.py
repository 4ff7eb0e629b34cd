"""A user's own project: its suite uses the plugin, and fails where a script is too dear."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from redislua.server import Server

Run = Callable[..., subprocess.CompletedProcess[str]]

TOOLCHAIN = {
    "click", "docker", "jinja2", "lupa", "rich", "ruff", "testcontainers", "tree_sitter",
    "tree_sitter_lua", "redis",
}  # fmt: skip

SLOW_SCRIPT = """\
#!lua
--- Walk over all members, one by one.
--
-- @version 1.0.0
-- @key     members set:{<name>}:members set
-- @returns int
-- @retry   safe
-- @budget  calls<=2 growth=1

local members = KEYS[1]

local found = 0
for _, member in ipairs(redis.call('SMEMBERS', members)) do
  found = found + redis.call('SISMEMBER', members, member)
end
return found
"""

BINDING = """\
import hashlib
from redislua.runtime import Call, Script

SOURCE = {source!r}.encode()
SCRIPT = Script(
    "tags.walk", "1.0.0", "tags/walk.v1.lua", hashlib.sha1(SOURCE).hexdigest(), SOURCE,
    False, "safe", {{}},
)

def walk(name):
    return Call(SCRIPT, (b"set:{{%s}}:members" % name.encode(),), (), int)
"""

HEAD = """\
import asyncio
from datetime import timedelta
import pytest, redis, redis.asyncio
import tags
from redislua.bindings import limit
from redislua.runtime import arun, run, run_many

SECOND = timedelta(seconds=1)

def gcra(name="u"):
    return limit.gcra(subject=name, limit=100, period=SECOND, burst=20)

"""


@pytest.fixture
def suite(tmp_path: Path, server: Server) -> Run:
    """``suite(text, *options)`` runs pytest on one test file of a new project."""

    def run(text: str, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(HEAD + text)
        (tmp_path / "tags.py").write_text(BINDING.format(source=SLOW_SCRIPT))
        kind = () if server.kind == "url" else ("--redislua-server", server.kind)
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "-W",
                "error",
                *kind,
                *options,
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def outcome(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    last = [line for line in done.stdout.splitlines() if line.strip()][-1]
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?)", last)}


@pytest.mark.client_side
def test_importing_the_plugin_imports_no_toolchain(server):
    program = """
import json, sys
import pytest, _pytest.runner
before = set(sys.modules)
import redislua.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == ["redislua", "redislua.pytest_plugin"]


@pytest.mark.client_side
def test_a_suite_that_uses_nothing_imports_no_toolchain(suite, tmp_path):
    (tmp_path / "test_plain.py").write_text(f"""
import sys

def test_it():
    assert {TOOLCHAIN!r} & set(sys.modules) == set()
    assert [name for name in sys.modules if name.startswith("redislua.lint")] == []
""")

    done = suite("", "test_plain.py")

    assert outcome(done) == {"passed": 1}, done.stdout


def test_each_test_has_an_empty_database(suite):
    done = suite("""
@pytest.mark.parametrize("turn", [1, 2])
def test_empty(redis_client, redis_server, turn):
    assert redis_client.dbsize() == 0
    redis_client.set("k", turn)
    assert redis_client.get("k") == b"%d" % turn
    assert redis_server.version
""")

    assert outcome(done) == {"passed": 2}, done.stdout


def test_calls_within_their_budget_pass(suite):
    done = suite("""
@pytest.mark.latency_budget("limit.gcra", limit="5ms", calls=3)
@pytest.mark.latency_budget("tags.walk", limit="5ms", calls=1)
def test_it(redis_client):
    for turn in range(30):
        redis_client.set("other", turn)
        run(redis_client, gcra())
    run_many(redis_client, gcra("a"), gcra("b"), atomic=False)
    run(redis_client, tags.walk("none"))

@pytest.mark.latency_budget("limit.gcra")
def test_the_header_and_the_project_say_how_much(redis_client):
    run(redis_client, gcra())

@pytest.mark.latency_budget("limit.gcra", limit="5ms")
def test_asyncio(redis_server):
    async def call():
        async with redis.asyncio.Redis.from_url(redis_server.url) as client:
            await asyncio.gather(*(arun(client, gcra(str(n))) for n in range(20)))
    asyncio.run(call())
""")

    assert outcome(done) == {"passed": 3}, done.stdout


def test_too_many_commands_fail_with_what_they_were(suite):
    done = suite("""
@pytest.mark.latency_budget("tags.walk", limit="5ms")
def test_it(redis_client):
    run(redis_client, tags.walk("none"))
    redis_client.sadd("set:{u}:members", "a", "b", "c")
    assert run(redis_client, tags.walk("u")) == 3
""")

    assert outcome(done) == {"failed": 1}, done.stdout
    assert (
        "tags.walk@1.0.0 is over its budget: a call runs 4 commands, allowed are 2" in done.stdout
    )
    assert "budget: limit 5 ms (p99.9), none over 5 ms, 2 commands a call" in done.stdout
    assert "SMEMBERS set:{u}:members" in done.stdout
    assert re.search(r"SISMEMBER set:\{u\}:members [abc]", done.stdout)
    assert "Traceback" not in done.stdout


def test_a_slow_call_fails_after_it_was_slow_again(suite):
    done = suite("""
RUNS = []

@pytest.fixture
def members(redis_client):
    redis_client.sadd("set:{u}:members", *range(20_000))

@pytest.mark.latency_budget("tags.walk", limit="100us", calls=1_000_000)
def test_it(redis_client, members):
    RUNS.append(1)
    run(redis_client, tags.walk("u"))
    run(redis_client, tags.walk("none"))

def test_it_was_run_again():
    assert 1 <= len(RUNS) <= 5
""")

    assert outcome(done) == {"failed": 1, "passed": 1}, done.stdout
    assert "tags.walk@1.0.0 is over its budget: 2 calls:" in done.stdout
    assert re.search(r"\d ms  20001\n +SMEMBERS set:\{u\}:members\n", done.stdout)
    assert "more\n" in done.stdout
    assert "the calibration script took" in done.stdout


@pytest.mark.client_side
def test_a_seldom_disturbance_is_no_failure(suite):
    done = suite("""
RUNS = []

@pytest.mark.latency_budget("tags.walk", limit="1ms", calls=1_000_000)
def test_it(redis_client):
    RUNS.append(1)
    if len(RUNS) == 1:  # as a busy machine would, once
        redis_client.sadd("set:{u}:members", *range(20_000))
    run(redis_client, tags.walk("u"))

def test_it_was_run_again():
    assert len(RUNS) > 1
""")

    assert outcome(done) == {"passed": 2}, done.stdout


@pytest.mark.client_side
@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ('"limit.gcra"', "limit.gcra: the test made no call of it on redis_server"),
        ('"limit.grca"', "no script is called 'limit.grca': did you mean limit.gcra?"),
        ('"limit.gcra", limit="1 s"', "latency_budget: limit: '1 s': expected a time up to 5 ms"),
        ('"limit.gcra", calls="3"', "latency_budget: calls='3': expected a number of commands"),
        ("", "latency_budget: expected a script"),
        ('"limit.gcra", limits="1ms"', "latency_budget: expected a script"),
    ],
)
def test_a_budget_that_measures_nothing_fails(suite, mark, text):
    done = suite(f"""
@pytest.mark.latency_budget({mark})
def test_it(redis_client):
    pass
""")

    assert done.returncode == 1
    assert text in done.stdout


@pytest.mark.client_side
def test_a_test_that_fails_by_itself_says_so_and_runs_once(suite):
    done = suite("""
@pytest.mark.latency_budget("tags.walk", limit="1us")
def test_it(redis_client):
    run(redis_client, tags.walk("u"))
    assert 1 == 2
""")

    assert outcome(done) == {"failed": 1}
    assert "assert 1 == 2" in done.stdout
    assert "over its budget" not in done.stdout


@pytest.mark.client_side
def test_the_projects_limit_counts(suite, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.redislua.budget]\nlimit = "1us"\n')

    done = suite("""
@pytest.mark.latency_budget("tags.walk")
def test_it(redis_client):
    run(redis_client, tags.walk("u"))
""")

    assert "budget: limit 0.001 ms (p99.9)" in done.stdout


def test_lua_trace_tells_what_each_call_ran(suite):
    done = suite("""
def test_it(redis_client, lua_trace):
    redis_client.script_flush()
    redis_client.sadd("set:{u}:members", "a b")
    run(redis_client, tags.walk("u"))
    run(redis_client, gcra())
    walked, limited = lua_trace.calls()
    assert walked.script == "tags.walk"
    assert walked.keys == (b"set:{u}:members",)
    assert walked.commands == (
        (b"SMEMBERS", b"set:{u}:members"), (b"SISMEMBER", b"set:{u}:members", b"a b"),
    )
    assert set(limited.names) >= {"TIME", "GET"}
    assert lua_trace.calls("limit.gcra") == [limited]
    lua_trace.clear()
    redis_client.eval("return redis.call('PING')", 1, "k", "v")
    (raw,) = lua_trace.calls()
    assert (raw.keys, raw.args, raw.names) == ((b"k",), (b"v",), ("PING",))

@pytest.mark.latency_budget("tags.walk")
def test_not_with_a_budget(redis_client, lua_trace):
    pass
""")

    assert outcome(done) == {"passed": 1, "error": 1}, done.stdout
    assert "use them in two tests" in done.stdout


@pytest.mark.client_side
def test_a_cluster_is_there_and_empty(suite):
    done = suite("""
@pytest.mark.parametrize("turn", [1, 2])
def test_it(redis_cluster, turn):
    host, port = redis_cluster.addresses[0]
    with redis.RedisCluster(host=host, port=port) as client:
        assert client.dbsize() == 0
        assert run(client, gcra())
""")

    assert outcome(done) == {"passed": 2}, done.stdout


@pytest.mark.client_side
def test_a_server_that_is_not_there_is_told_in_one_line(suite):
    done = suite("def test_it(redis_client): pass", "--redislua-server", "binary:/none")

    assert outcome(done) == {"error": 1}
    assert "--redislua-server: " in done.stdout
    assert "Traceback" not in done.stdout


def with_scripts(folder: Path) -> None:
    """Make the project one with a scripts folder: one that runs, one that does not."""
    (folder / "scripts" / "tags").mkdir(parents=True)
    (folder / "scripts" / "tags" / "walk.v1.lua").write_text(SLOW_SCRIPT)
    never = SLOW_SCRIPT.replace("one by one", "never")
    (folder / "scripts" / "tags" / "never.v1.lua").write_text(never)
    (folder / "pyproject.toml").write_text('[tool.redislua]\nscripts = "scripts"\noutput = "out"\n')


COVERED = """
def test_empty(redis_client):
    run(redis_client, tags.walk("none"))

def test_full(redis_client, redis_server):
    redis_client.script_flush()
    redis_client.sadd("set:{u}:members", "a")
    with redis.Redis.from_url(redis_server.url.rpartition("/")[0] + "/3") as other:
        assert run(other, tags.walk("u")) == 0
    if FULL:
        assert run(redis_client, tags.walk("u")) == 1
"""


@pytest.mark.parametrize(("full", "counts"), [(False, "4/5"), (True, "5/5")])
def test_coverage_tells_which_lines_ran(suite, tmp_path, full, counts):
    with_scripts(tmp_path)

    done = suite(f"FULL = {full}\n{COVERED}", "--redislua-cov")

    assert outcome(done) == {"passed": 2}, done.stdout
    assert re.search(rf"tags/walk\.v1\.lua +{counts} ", done.stdout), done.stdout
    assert re.search(r"tags/never\.v1\.lua +0/5 +0/2  10-16", done.stdout), done.stdout
    assert "limit/gcra" not in done.stdout


@pytest.mark.client_side
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_coverage_is_written_as_lcov_and_cobertura(suite, tmp_path, workers):
    with_scripts(tmp_path)
    forms = ("lcov:out/lua.info", "cobertura:out/lua.xml")

    done = suite(
        f"FULL = True\n{COVERED}", *workers, *(f"--redislua-cov-report={f}" for f in forms)
    )

    assert outcome(done) == {"passed": 2}, done.stdout
    tracefile = (tmp_path / "out" / "lua.info").read_text()
    assert "SF:scripts/tags/walk.v1.lua\n" in tracefile
    assert "LF:5\nLH:5\nend_of_record" in tracefile
    assert "LF:5\nLH:0\nend_of_record" in tracefile
    assert 'filename="scripts/tags/walk.v1.lua"' in (tmp_path / "out" / "lua.xml").read_text()


@pytest.mark.client_side
def test_a_report_of_no_known_form_is_refused(suite):
    done = suite("", "--redislua-cov-report=html:x")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "expected lcov:FILE or cobertura:FILE" in done.stderr
