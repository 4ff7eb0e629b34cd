"""``redislua trace``: what ran, what it called, and whose microseconds those are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import redis

from redislua.server import start
from tests.cli.shell import ROOT, redislua

GCRA = ("limit.gcra", "subject=u", "limit=5", "period=1s", "burst=5")

LOOP = """#!lua
--- Add to a counter.
--
-- @version 1.0.0
-- @key     total    demo:{<name>}:total string expires
-- @arg     times    int 1..1_000
-- @returns Added    total:int
-- @error   BadArgument An argument is malformed.
-- @retry   conservative
-- @budget  calls<=1002 growth=linear n=times

local total = KEYS[1]
local times = tonumber(ARGV[1])

if times == 13 then
  return redis.error_reply('RLUA_BAD_ARGUMENT not thirteen')
end
if times == 14 then
  while true do
    times = times + 1
  end
end
for i = 1, times do
  redis.call('INCR', total)
end
redis.call('PEXPIRE', total, 60000)
return {'Added', tonumber(redis.call('GET', total))}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one script, that loops; with 14 it never ends."""
    (tmp_path / "scripts" / "demo").mkdir(parents=True)
    (tmp_path / "scripts" / "demo" / "add.v1.lua").write_text(LOOP)
    (tmp_path / "pyproject.toml").write_text('[tool.redislua]\noutput = "generated"\n')
    return tmp_path


def test_trace_prints_the_lines_that_ran_with_their_commands_and_times(server):
    if server.kind == "url":
        pytest.skip("trace starts a server of its own")

    done = redislua("trace", *GCRA, "--server", server.kind)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"limit.gcra@1.0.0 on {server.version}, on a server of its own"
    at = next(n for n, line in enumerate(lines) if "redis.call('GET', state)" in line)
    us = r"(\d+\.\d|<0\.1|-)"
    assert re.fullmatch(rf" +{us} +GET limit:\{{u\}}:gcra = NULL", lines[at + 1])
    assert re.search(rf"\n +{us} +TIME = \[", done.stdout)
    assert re.search(rf"\n +{us} +SET limit:\{{u\}}:gcra \d+ PXAT \d+ = \"\+OK\"", done.stdout)
    assert "return {'Limited'" not in done.stdout  # a line that did not run
    assert re.search(r"\n +\d+\.\d us  the whole call", done.stdout)
    assert "without the debugger: means of" in done.stdout
    assert lines[-1] == "Allowed remaining=4 reset_after=200ms"


def test_a_setup_brings_the_server_into_a_state_first():
    used = "limit.gcra subject=u limit=5 period=1h burst=1"

    done = redislua("trace", *GCRA[:2], *["limit=5", "period=1h", "burst=1"], "--setup", used)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Limited remaining=0 retry_after=")


def test_setups_may_wait_use_earlier_replies_and_be_copied_from_examples():
    done = redislua(
        "trace", "limit.gcra", "subject=u", "limit=100", "period=1s", "burst=1",
        "--setup", "limit.gcra subject=u limit=100 period=1s burst=1 -> Allowed remaining=0",
        "--setup", "wait 20ms",
    )  # fmt: skip

    assert done.stdout.splitlines()[-1].startswith("Allowed "), done.stderr


def test_loops_are_folded_and_all_shows_every_round(project):
    folded = redislua("trace", "demo.add", "name=a", "times=12", cwd=project)
    every = redislua("trace", "demo.add", "name=a", "times=12", "--all", cwd=project)

    assert re.search(r" +24 +x 12 +redis\.call\('INCR', total\)", folded.stdout), folded.stderr
    assert re.search(
        r"\n +x 12 +(\d+\.\d|<0\.1|-) +INCR demo:\{a\}:total = 1 … = 12\n", folded.stdout
    )
    assert folded.stdout.count("INCR demo:{a}:total") == 1
    assert every.stdout.count("INCR demo:{a}:total") == 12
    assert folded.stdout.splitlines()[-1] == every.stdout.splitlines()[-1] == "Added total=12"


def test_json_has_every_line_and_figures_that_add_up(project):
    done = redislua("trace", "demo.add", "name=a", "times=3", "--json", cwd=project)

    told = json.loads(done.stdout)
    commands = [one for step in told["steps"] for one in step["commands"]]
    assert [one["text"].split()[0] for one in commands] == ["INCR"] * 3 + ["PEXPIRE", "GET"]
    assert [one["reply"] for one in commands] == ["1", "2", "3", "1", '"3"']
    assert told["us"]["commands"] == pytest.approx(sum(one["us"] for one in commands))
    assert told["us"]["lua"] == pytest.approx(told["us"]["call"] - told["us"]["commands"])
    assert told["steps"][0] == {
        "line": 12, "text": "local total = KEYS[1]", "commands": [], "said": [],
    }  # fmt: skip
    assert (told["script"], told["keys"], told["args"]) == ("demo.add", ["demo:{a}:total"], ["3"])
    assert (told["reply"], told["error"]) == ("Added total=3", None)


def test_an_error_of_the_script_is_shown_behind_what_ran(project):
    plain = redislua("trace", "demo.add", "name=a", "times=13", cwd=project)
    told = redislua("trace", "demo.add", "name=a", "times=13", "--json", cwd=project)

    assert plain.returncode == told.returncode == 1
    assert "return redis.error_reply" in plain.stdout
    assert "BadArgumentError" in plain.stderr
    assert "BadArgumentError" in json.loads(told.stdout)["error"]


def test_a_script_that_does_not_end_is_aborted_and_said_so(project):
    done = redislua("trace", "demo.add", "name=a", "times=14", "--limit", "100", cwd=project)

    assert done.returncode == 1
    assert re.search(r" +20 +x 96 +times = times \+ 1", done.stdout)
    assert "had not ended after 100 lines, and was aborted" in done.stderr


def test_with_a_url_the_data_of_that_server_stay_as_they_are(server):
    with start(server.kind if server.kind != "url" else "embedded") as running:
        done = redislua("trace", *GCRA, "--url", running.url, "--namespace", "shop")
        with redis.Redis.from_url(running.url) as client:
            keys = client.keys()

    assert done.returncode == 0, done.stderr
    assert "SET shop:limit:{u}:gcra" in done.stdout
    assert "No times" in done.stdout
    assert keys == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("limit.gcra", "subject=u"), "limit, period, burst"),
        (("limit.nothing",), "no script is called"),
        ((*GCRA, "--setup", "limit.gcra subject=u"), "--setup 'limit.gcra subject=u': limit.gcra mis"),
        ((*GCRA, "--setup", "SET k v"), "--setup 'SET k v': not a call"),
        ((*GCRA, "--setup", "limit.none a=b"), "limit.none"),
        ((*GCRA, "--setup", "limit.gcra subject=$1.x limit=5 period=1s burst=5"), "earlier reply"),
        ((*GCRA, "--setup", "limit.gcra subject=u limit=11 period=1ms burst=5"), "more than one"),
        ((*GCRA, "--setup", "wait 1ms", "--url", "redis://127.0.0.1:1/0"), "--setup writes"),
        ((*GCRA, "--url", "redis://127.0.0.1:1/0"), "--url: "),
        ((*GCRA, "--url", "nonsense"), "--url: "),
        ((*GCRA, "--server", "nonsense"), "unknown kind of server"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_one_line(words, text):
    done = redislua("trace", *words)

    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_first_example_of_the_catalogue_can_be_traced():
    """The traced lines are lines of the file, and the reply is that of `redislua run`."""
    source = (ROOT / "scripts" / "limit" / "gcra.v1.lua").read_text().splitlines()

    told = json.loads(redislua("trace", *GCRA, "--json").stdout)

    assert [source[step["line"] - 1] for step in told["steps"]] == [
        step["text"] for step in told["steps"]
    ]
    assert told["reply"] == redislua("run", *GCRA).stdout.strip()
