"""What ends early: a process with calls under way, and the thread that writes for many."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.runtime import run
from redislua.runtime.connections.threads import Unit
from tests.runtime.coalescing.crowd import Sharing, echo, eventually
from tests.runtime.coalescing.gate import Gate

CROWD = """
import sys, threading, time
import redis
from redislua.runtime import run
from redislua.runtime.pools import pools
from tests.runtime.coalescing.crowd import echo

client = redis.Redis(**{settings!r})
run(client, echo(0))

def calls():
    while True:
        run(client, echo(1))

for _ in range(32):
    threading.Thread(target=calls, daemon=True).start()
while not pools.of(client)._coalescer._threads:
    time.sleep(0.001)
{end}
"""


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("raise LookupError", 1, "LookupError"),
        ("import atexit; atexit.register(lambda: print(run(client, echo(2))))", 0, ""),
    ],
    ids=["end", "exit", "exception", "atexit"],
)
def test_a_process_that_ends_while_calls_are_queued_ends_at_once_and_says_nothing(
    client: redis.Redis, end: str, status: int, said: str
) -> None:
    settings = client.connection_pool.connection_kwargs
    address = {name: settings[name] for name in ("host", "port", "path") if name in settings}
    code = CROWD.format(settings=address, end=end)

    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == status
    assert ended.stderr.splitlines()[-1:] == ([said] if said else [])
    assert "redislua" not in ended.stderr


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_ended_from_outside_between_two_replies_costs_no_later_call(
    sharing: Sharing, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who have their replies keep them; the rest are told, and others go on at once."""
    run(sharing.client, echo(0))
    gate.shut()
    alone = sharing.begin(echo(1))
    together = [sharing.queue(echo(number), deadline=3) for number in (2, 3)]  # in one write
    assert eventually(lambda: sharing.waiting() == 2)
    end, ended = Unit.end, []

    def end_and_die(unit: Unit, replies: list[Any]) -> None:
        end(unit, replies)
        ended.append(unit)
        if len(ended) == 2:
            raise SystemExit

    monkeypatch.setattr(Unit, "end", end_and_die)
    gate.open()
    outcomes = [one.result()[0] for one in (alone, *together)]
    monkeypatch.undo()

    assert outcomes[0] == b"1"
    assert sorted(type(one).__name__ for one in outcomes[1:]) == ["OutcomeUnknown", "bytes"]
    gate.shut()
    own = sharing.begin(echo(4))
    others = [sharing.queue(echo(number), deadline=5) for number in (5, 6)]
    gate.open()
    assert own.result() == (b"4",)
    assert [one.result() for one in others] == [(b"5",), (b"6",)]


class _Contended(deque[Any]):
    """Whoever sees a connection here finds that another thread took it."""

    def __bool__(self) -> bool:
        return True


def test_the_last_idle_connection_is_taken_while_the_server_is_looked_up_again(
    sharing: Sharing, gate: Gate
) -> None:
    sharing.pool.idle = _Contended()
    sharing.pool.renew()
    gate.open()

    assert run(sharing.client, echo(1)) == b"1"
