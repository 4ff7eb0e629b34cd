"""A new user's project, from an empty folder to a typed call: what the README promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redislua.server import start
from tests.cli.shell import redislua

APPLICATION = """\
from datetime import timedelta
from typing import assert_never

import redis
import redis.asyncio

from redis_scripts import orders
from redislua.runtime import run


def claim(client: redis.Redis, order: str, worker: str) -> str:
    reply = orders.Orders(client, namespace="shop").claim(
        order=order, worker=worker, lease=timedelta(seconds=30)
    )
    match reply:
        case orders.ClaimClaimed(attempt):
            return f"claimed, attempt {attempt}"
        case orders.ClaimTaken(by, left):
            return f"taken by {by} for {left > timedelta(0)}"
        case _:
            assert_never(reply)


async def claim_async(client: "redis.asyncio.Redis", order: str, worker: str) -> orders.ClaimReply:
    return await orders.AsyncOrders(client).claim(order=order, worker=worker)


def main(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        print(claim(client, "1", "ann"))
        print(claim(client, "1", "bob"))
        print(run(client, orders.claim(order="2", worker="eve")))


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
"""

WRONG = """\
import redis.asyncio
from redis_scripts import orders

async def wrong(client: "redis.asyncio.Redis") -> None:
    orders.Orders(client)
    orders.claim(order=1, worker="ann")
    orders.claim(order="1")
"""

CLAIM = """\
#!lua
--- Claim an order for one worker, for as long as its lease lasts.
--
-- @version 1.0.0
-- @key     claim   orders:{<order>}:claim hash expires
-- @arg     worker  str 1..64
-- @arg     lease   ms 1..3_600_000 = 10s
-- @returns Claimed attempt:int
-- @returns Taken   by:str left:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @state   claim orders-claim/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example the second worker is told who has it
--   claim order=1 worker=ann lease=5s -> Claimed attempt=1
--   claim order=1 worker=bob lease=5s -> Taken by=ann left<=5s
--   claim order=1 worker=ann lease=5s -> Claimed attempt=1

local claim = KEYS[1]
local worker, lease_ms = ARGV[1], ARGV[2]

if worker == '' or not lease_ms:find('^%d+$') or tonumber(lease_ms) < 1 then
  return redis.error_reply('RLUA_BAD_ARGUMENT worker or lease')
end
local holder = redis.call('HGET', claim, 'worker')
if holder and holder ~= worker then
  return {'Taken', holder, redis.call('PTTL', claim)}
end
if not holder then
  redis.call('HSET', claim, 'v', 1, 'worker', worker, 'attempt', 1)
end
redis.call('PEXPIRE', claim, lease_ms)
return {'Claimed', 1}
"""


def ok(*words: str, cwd: Path) -> str:
    done = redislua(*words, cwd=cwd)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "MYPY_FORCE_COLOR": "0", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_from_an_empty_folder_to_a_typed_call(tmp_path):
    shown = ok("init", cwd=tmp_path)
    assert "wrote pyproject.toml" in shown
    assert "wrote scripts/tickets/reserve.v1.lua" in shown

    assert "wrote scripts/orders/claim.v1.lua" in ok("new", "orders/claim", cwd=tmp_path)
    stale = redislua("check", cwd=tmp_path)
    assert stale.returncode == 1, "nothing is generated yet"
    (tmp_path / "scripts" / "orders" / "claim.v1.lua").write_text(CLAIM)

    ok("generate", cwd=tmp_path)
    assert "2 scripts checked: all good" in ok("check", cwd=tmp_path)
    assert "3 examples passed, 0 failed" in ok("test", cwd=tmp_path)

    (tmp_path / "app.py").write_text(APPLICATION)
    with start("embedded") as server:
        called = python("app.py", server.url, cwd=tmp_path)
    assert called.stdout.split("\n")[:3] == [
        "claimed, attempt 1",
        "taken by ann for True",
        "ClaimClaimed(attempt=1)",
    ], called.stderr

    typed = python("-m", "mypy", "--strict", "app.py", "redis_scripts", cwd=tmp_path)
    assert typed.returncode == 0, typed.stdout

    (tmp_path / "wrong.py").write_text(WRONG)
    refused = python("-m", "mypy", "--strict", "wrong.py", cwd=tmp_path)
    assert refused.returncode == 1
    assert 'wrong.py:5: error: Argument 1 to "Orders" has incompatible type' in refused.stdout
    assert 'wrong.py:6: error: Argument "order" to "claim" has incompatible type' in refused.stdout
    assert 'wrong.py:7: error: Missing named argument "worker"' in refused.stdout


def test_a_skeleton_is_valid_as_it_stands(tmp_path):
    ok("init", cwd=tmp_path)
    ok("new", "orders/claim", cwd=tmp_path)

    ok("generate", cwd=tmp_path)
    ok("check", cwd=tmp_path)
    assert "3 examples passed, 0 failed" in ok("test", cwd=tmp_path)


def test_init_keeps_what_a_pyproject_holds(tmp_path):
    text = '# mine\n[project]\nname = "shop"   # keep\n\n[tool.black]\nline-length = 99'
    (tmp_path / "pyproject.toml").write_text(text)

    ok("init", cwd=tmp_path)

    assert (tmp_path / "pyproject.toml").read_text().startswith(text)
    ok("generate", cwd=tmp_path)


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ('[tool.redislua]\noutput = "x"\n', "already has a [tool.redislua] table"),
        ("[tool.broken\n", "not TOML"),
        ('tool = "x"\n', "tool is not a table"),
    ],
)
def test_init_changes_nothing_where_it_cannot_work(tmp_path, before, problem):
    (tmp_path / "pyproject.toml").write_text(before)

    done = redislua("init", cwd=tmp_path)

    assert done.returncode == 2
    assert problem in done.stderr
    assert (tmp_path / "pyproject.toml").read_text() == before
    assert not (tmp_path / "scripts").exists()


def test_init_twice_and_over_other_scripts_is_refused(tmp_path):
    ok("init", cwd=tmp_path)
    before = (tmp_path / "pyproject.toml").read_text()

    assert redislua("init", cwd=tmp_path).returncode == 2
    assert (tmp_path / "pyproject.toml").read_text() == before

    inner = tmp_path / "inner"
    inner.mkdir()
    done = redislua("init", cwd=inner)
    assert done.returncode == 2
    assert "is inside the project of" in done.stderr
    assert list(inner.iterdir()) == []


def test_init_leaves_scripts_that_are_there_alone(tmp_path):
    (tmp_path / "scripts" / "mine").mkdir(parents=True)

    done = redislua("init", cwd=tmp_path)

    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert "[tool.redislua]" in done.stderr, "the table to add by hand is shown"
    assert not (tmp_path / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "name", ["claim", "orders/", "/claim", "Orders/claim", "orders/cl-aim", "a/b/c", "orders/class"]
)
def test_new_refuses_a_name_that_cannot_be_one(tmp_path, name):
    ok("init", cwd=tmp_path)

    done = redislua("new", name, cwd=tmp_path)

    assert done.returncode == 2
    assert "expected family/name" in done.stderr


def test_new_never_writes_over_a_script(tmp_path):
    ok("init", cwd=tmp_path)
    path = tmp_path / "scripts" / "tickets" / "reserve.v1.lua"
    before = path.read_bytes()

    done = redislua("new", "tickets/reserve", cwd=tmp_path)

    assert done.returncode == 2
    assert "--next-major" in done.stderr
    assert path.read_bytes() == before
    assert redislua("new", "tickets/other", "--next-major", cwd=tmp_path).returncode == 2
