"""A server is there while its owner is, and gone with it, however the owner ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.server import Server, start
from tests import servers
from tests.server.traces import PATIENCE, Traces, until

PROGRAM = """
import os, signal, sys, threading, time
import redis
from redislua.server import start

server = start(unix_socket=sys.argv[1] == "socket")
client = redis.Redis.from_url(server.url, decode_responses=True)
print(client.info("server")["process_id"], client.config_get("dir")["dir"], flush=True)
"""


def _traces_of(server: Server) -> Traces:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        answer: Any = client.info("server")
        return Traces(answer["process_id"], Path(client.config_get("dir")["dir"]))


@contextlib.contextmanager
def _program(ending: str, listen: str = "port") -> Iterator[subprocess.Popen[str]]:
    """Run a program that starts a server and then does ``ending``; gone with its forks at exit."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + ending, listen],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group of its own, as a terminal gives one
    )
    with program:
        try:
            yield program
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)


def _first_line(program: subprocess.Popen[str]) -> Traces:
    pid, folder = _line(program).split(" ", 1)
    return Traces(int(pid), Path(folder))


def _line(program: subprocess.Popen[str]) -> str:
    """Read one line and not a byte more: what readline() buffers, communicate() never sees."""
    assert program.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(program.stdout.fileno(), 1)
        assert byte, f"the program ended behind {line!r}"
        line += byte
    return line.decode().rstrip("\n")


def _await_gone(traces: Traces) -> None:
    until(traces.are_gone, f"{traces} is gone")


@pytest.fixture(params=servers.present())
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own, of each product and version that is installed."""
    opened = servers.open_server(request.param)
    if isinstance(opened, str):
        pytest.skip(opened)
    with opened:
        yield opened


def test_a_started_server_answers_and_says_what_it_is(running: Server) -> None:
    with redis.Redis.from_url(running.url) as client:
        answer: Any = client.info("server")

    product, number = running.version.split(" ")
    assert number == answer.get("valkey_version", answer["redis_version"])
    assert product == ("Valkey" if "valkey_version" in answer else "Redis")


def test_a_stopped_server_leaves_neither_process_nor_folder(running: Server) -> None:
    traces = _traces_of(running)
    assert traces.folder.exists()

    running.stop()

    assert traces.are_gone()


def test_stopping_twice_is_harmless(running: Server) -> None:
    running.stop()
    running.stop()


def test_leaving_the_block_stops_the_server_also_on_an_error() -> None:
    seen: list[Traces] = []

    def fail(server: Server) -> None:
        seen.append(_traces_of(server))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), start() as server:
        fail(server)

    assert seen[0].are_gone()


def test_nothing_is_saved_to_disk(running: Server) -> None:
    with redis.Redis.from_url(running.url, decode_responses=True) as client:
        assert client.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}
        assert client.config_get("enable-debug-command") == {"enable-debug-command": "yes"}


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit(3)",
        "raise RuntimeError('on purpose')",
        "os._exit(4)",
        "signal.raise_signal(signal.SIGTERM)",
        "signal.raise_signal(signal.SIGKILL)",
        "threading.Thread(target=lambda: os._exit(5)).start()",
    ],
    ids=["return", "sys.exit", "exception", "os._exit", "SIGTERM", "SIGKILL", "thread"],
)
@pytest.mark.parametrize("listen", ["port", "socket"])
def test_the_server_ends_with_its_process(ending: str, listen: str) -> None:
    with _program(ending, listen) as program:
        traces = _first_line(program)
        program.communicate(timeout=PATIENCE)

    _await_gone(traces)


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise RuntimeError('on purpose')"])
def test_an_orderly_exit_waits_until_the_server_is_gone(ending: str) -> None:
    with _program(ending) as program:
        traces = _first_line(program)
        program.communicate(timeout=PATIENCE)

        assert traces.are_gone()


def test_the_server_ends_when_its_owner_is_killed_from_outside() -> None:
    with _program("time.sleep(600)") as program:
        traces = _first_line(program)
        assert not traces.are_gone()
        program.kill()

    _await_gone(traces)


def test_ctrl_c_reaches_the_program_and_not_its_server() -> None:
    ending = """
try:
    print("waiting", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.1)
    print(client.ping(), flush=True)
"""
    with _program(ending) as program:
        traces = _first_line(program)
        assert _line(program) == "waiting"
        os.killpg(program.pid, signal.SIGINT)
        answered, problems = program.communicate(timeout=PATIENCE)

    assert (answered, problems) == ("True\n", "")
    _await_gone(traces)


def test_a_server_outlives_the_thread_that_started_it() -> None:
    started: list[Server] = []
    thread = threading.Thread(target=lambda: started.append(start()))
    thread.start()
    thread.join()

    with started[0] as server, redis.Redis.from_url(server.url) as client:
        assert client.ping() is True


def test_many_threads_may_start_servers_at_once() -> None:
    started: list[Server] = []
    threads = [threading.Thread(target=lambda: started.append(start())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    try:
        assert len({server.url for server in started}) == 6
    finally:
        for server in started:
            server.stop()


def test_a_fork_that_exits_leaves_its_parents_server_alone() -> None:
    ending = """
if os.fork() == 0:
    sys.exit()  # runs what atexit holds, in the child
os.wait()
print(client.ping(), flush=True)
"""
    with _program(ending) as program:
        _first_line(program)
        answered, problems = program.communicate(timeout=PATIENCE)

    assert (answered, problems) == ("True\n", "")


def test_stop_works_while_a_fork_still_holds_the_pipe() -> None:
    ending = """
child = os.fork()
if child == 0:
    time.sleep(600)
server.stop()
print("stopped", flush=True)
os.kill(child, signal.SIGKILL)
"""
    with _program(ending) as program:
        traces = _first_line(program)
        answered, problems = program.communicate(timeout=PATIENCE)

    assert (answered, problems) == ("stopped\n", "")
    assert traces.are_gone()


def test_a_server_that_was_killed_leaves_no_folder_and_can_be_stopped() -> None:
    with start() as server:
        traces = _traces_of(server)
        os.kill(traces.pid, signal.SIGKILL)
        _await_gone(traces)


def test_two_servers_know_nothing_of_each_other() -> None:
    with (
        start() as first,
        start(unix_socket=True) as second,
        redis.Redis.from_url(first.url) as one,
        redis.Redis.from_url(second.url) as two,
    ):
        one.set("key", "value")

        assert two.dbsize() == 0


def test_a_unix_socket_is_for_this_user_alone_and_the_server_has_no_port() -> None:
    with start(unix_socket=True) as server:
        traces = _traces_of(server)

        assert traces.folder.stat().st_mode & 0o077 == 0
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            assert client.config_get("port") == {"port": "0"}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's; pytest's own is too long for that."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", ["a b é", "%41?#", "long" * 30])
@pytest.mark.parametrize("unix_socket", [False, True], ids=["port", "socket"])
def test_any_temporary_folder_will_do(
    name: str, unix_socket: bool, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = short_folder / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    with start(unix_socket=unix_socket) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping() is True

    assert list(folder.iterdir()) == []
