"""The debugger of a real server: every line, whole values, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import redis

from redislua.errors import ScriptFault, ServerUnavailable
from redislua.probe.debugger import (
    Command,
    Debugger,
    DebuggerError,
    End,
    Frame,
    Said,
    StillRunning,
    Stop,
    lines_run,
    outcome,
    walk,
)
from redislua.server import Server, start
from tests.probe.test_confine import a_call

FOREVER = "while true do\n  pcall(function()\n    local x = 1\n  end)\nend"

INTERRUPTED = """
import hashlib, sys
from redislua.probe.debugger import Debugger, walk
from redislua.runtime import Call, Script
source = sys.argv[2].encode()
sha1 = hashlib.sha1(source).hexdigest()
call = Call(Script("a.b", "1.0.0", "a/b", sha1, source, False, "safe", {}), (), (), lambda r: r)
with Debugger(sys.argv[1], call) as session:
    for number, event in enumerate(walk(session, 10_000_000)):
        if number == 100:
            print("walking", flush=True)
"""


@pytest.fixture(scope="module")
def alone(server: Server) -> Iterator[Server]:
    """A server that nobody else waits for; its scripts are never flushed.

    Valkey 9.1 keeps using freed memory in sessions after a SCRIPT FLUSH.
    """
    if server.kind == "url":
        pytest.skip("the debugger blocks its server")
    with start(server.kind) as opened:
        yield opened


@pytest.fixture
def data(alone: Server) -> Iterator[redis.Redis]:
    """A client of that server, which must answer at once when the test is over."""
    with redis.Redis.from_url(alone.url, socket_timeout=5, retry=None) as client:
        client.flushall()
        yield client
        assert client.ping()


def test_every_line_is_a_stop_and_every_command_has_its_reply(alone, data):
    call = a_call("local v = redis.call('INCR', KEYS[1])\n\nreturn {v, 'x'}", b"k")

    with Debugger(alone.url, call) as session:
        found = list(walk(session))

    assert found == [
        Stop(2, "step over"),
        Command("INCR k", "1"),
        Stop(4, "step over"),
        End([1, b"x"]),
    ]
    assert data.get("k") == b"1"


def test_a_fork_leaves_the_data_and_the_other_clients_alone(alone, data):
    call = a_call("redis.call('SET', KEYS[1], 1)\nreturn redis.call('GET', KEYS[1])", b"k")

    with Debugger(alone.url, call, forked=True) as session:
        assert data.ping()
        found = list(walk(session))

    assert found[-1] == End(b"1")
    assert data.exists("k") == 0


def test_long_and_binary_values_come_whole(alone, data):
    value = bytes(range(256)) * 8
    data.set("k", value)

    with Debugger(alone.url, a_call("return redis.call('GET', KEYS[1])", b"k")) as session:
        command = session.step()[0]

    assert isinstance(command, Command)
    assert command.reply is not None
    assert len(command.reply) > len(value)
    assert "\n" not in command.reply
    assert session.end == End(value)


def test_locals_frames_commands_and_lua_where_the_script_stands(alone, data):
    body = (
        "local function add(x)\n  local y = x + 1\n  return y\nend\nlocal sum = add(41)\nreturn sum"
    )

    with Debugger(alone.url, a_call(body, b"k")) as session:
        while session.at != Stop(4, "step over"):
            session.step()

        assert session.frames() == [Frame("add", 4), Frame("top level", 6)]
        assert session.locals() == {"x": "41", "y": "42"}
        assert session.local("y") == "42"
        assert session.local("nothing") is None
        assert session.redis("SET", "k", "a b") == [Command("SET k a b", '"+OK"')]
        assert session.evaluate("return #KEYS") == [Said("value", "1")]
        assert "'=' expected" in str(session.evaluate("x x"))
        list(walk(session))

    assert session.end == End(42)
    assert data.get("k") == b"a b"


@pytest.mark.parametrize("words", [("GET", ""), ("GET", "x" * 1100), ("MGET", *["x" * 10] * 100)])
def test_a_command_that_would_end_the_session_or_the_server_is_refused_here(alone, data, words):
    with Debugger(alone.url, a_call("return 1")) as session:
        with pytest.raises(DebuggerError, match=r"empty|1024 bytes"):
            session.redis(*words)

        assert session.redis("GET", "x" * 980)[0] == Command(f"GET {'x' * 980}", "NULL")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("local x = = 1", "unexpected symbol"),
        ("error('no')", "no"),
        ("return redis.error_reply('MINE so')", "MINE so"),
        ("return redis.call('LPUSH', KEYS[1], 1)", "wrong kind of value"),
        ("return redis.call('NOSUCH')", "Unknown"),
        ("return redis.call()", "at least one argument"),
        ("local x = nil\nreturn x.y", "attempt to index"),
    ],
)
def test_a_script_that_fails_ends_with_its_error(alone, data, body, said):
    data.set("k", "string")
    call = a_call(body, b"k")

    with Debugger(alone.url, call) as session:
        list(walk(session))

    assert session.end is not None
    assert session.end.reply is None
    with pytest.raises(ScriptFault, match=said):
        outcome(call, session.end)


def test_an_error_inside_the_with_block_aborts_the_script_there(alone, data):
    call = a_call("redis.call('SET', KEYS[1], 1)\nredis.call('SET', KEYS[1], 2)\nreturn 1", b"k")

    def fail() -> None:
        with Debugger(alone.url, call) as session:
            session.step()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert data.get("k") == b"1"


def test_a_script_that_never_ends_is_aborted(alone, data):
    with Debugger(alone.url, a_call(FOREVER)) as session:
        with pytest.raises(StillRunning, match="200 lines"):
            list(walk(session, 200))

        assert session.end is not None

    assert data.ping()


@pytest.mark.parametrize("body", [FOREVER, "while true do end"])
def test_ctrl_c_gives_the_server_back_even_from_a_script_that_never_ends(alone, data, body):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, alone.url, f"#!lua\n{body}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "walking\n"
    time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=20)

    assert problems.rstrip().endswith("KeyboardInterrupt")
    assert data.ping()


def test_a_session_that_is_over_takes_no_commands(alone, data):
    with Debugger(alone.url, a_call("return 1")) as session:
        session.step()

        with pytest.raises(DebuggerError, match="has ended"):
            session.step()


def test_a_server_that_dies_is_a_lost_session(server):
    with start(server.kind) as gone, Debugger(gone.url, a_call("local x = 1\nreturn x")) as session:
        gone.stop()

        with pytest.raises(DebuggerError, match="session was lost"):
            session.step()

        assert not session.is_stopped


def test_a_server_without_a_debugger_says_so(alone, data):
    data.acl_setuser(
        "plain",
        enabled=True,
        passwords=["+pw"],
        reset_keys=True,
        keys=["mine"],
        commands=["+@all", "-script"],
    )
    url = alone.url.replace("://", "://plain:pw@")
    try:
        with (
            pytest.raises(ServerUnavailable, match=r"does not offer its Lua debugger.*permission"),
            Debugger(url, a_call("return 1")),
        ):
            pass

        data.execute_command("ACL", "SETUSER", "plain", "+script")
        with Debugger(url, a_call("return 1", b"other")) as session:
            assert session.at is None
            assert session.end is not None
            assert isinstance(session.end.error, redis.exceptions.NoPermissionError)
    finally:
        data.acl_deluser("plain")


def test_a_server_that_is_not_there_says_so():
    with (
        pytest.raises(ServerUnavailable, match="cannot reach"),
        Debugger("redis://127.0.0.1:1/0", a_call("return 1")),
    ):
        pass


def test_lines_are_counted_as_often_as_they_are_reached(alone, data):
    body = """local function twice(x)
  return 2 * x
end
local sum = 0
for i = 1, 3 do
  if i > 5 then
    sum = 0
  end
  sum = sum + twice(i)
end
return sum"""

    counts = lines_run(alone.url, a_call(body))

    assert set(counts) == {4, 3, 5, 6, 7, 10, 12}
    assert (counts[3], counts[7], counts[10], counts[8], counts[12]) == (3, 3, 3, 0, 1)


def test_lines_of_a_call_that_fails_count_too(alone, data):
    assert dict(lines_run(alone.url, a_call("local x = 1\nerror('no')\nreturn x"))) == {2: 1, 3: 1}


def test_lines_counted_in_a_fork_write_nothing(alone, data):
    lines_run(alone.url, a_call("return redis.call('SET', KEYS[1], 1)", b"k"), forked=True)

    assert data.dbsize() == 0


def test_breakpoints_in_the_source_are_a_reason_to_stop(alone, data):
    with Debugger(alone.url, a_call("local x = 1\nredis.breakpoint()\nreturn x")) as session:
        session.step()
        session.step()

        assert session.at is not None
        assert session.at.number == 4
        assert "breakpoint() called" in session.at.reason
