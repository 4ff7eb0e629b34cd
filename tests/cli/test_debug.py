"""``redislua debug``: driven by a pipe, and by a person's keys on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from redislua.server import Server, start
from tests.cli.shell import ROOT
from tests.cli.test_trace import project

__all__ = ["project"]  # a fixture

GCRA = ("limit.gcra", "subject=u", "limit=5", "period=1s", "burst=5")

ON_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "redislua", *sys.argv[1:]])
"""

DEADLINE = 30

SOURCE = (ROOT / "scripts" / "limit" / "gcra.v1.lua").read_text().splitlines()


def line_of(text: str) -> int:
    """The line of the script that holds a text."""
    return next(number for number, line in enumerate(SOURCE, 1) if text in line)


def piped(text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``redislua debug`` with commands from a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "redislua", "debug", *words],
        input=text,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Terminal:
    """``redislua debug`` on a terminal of its own, as a person has it."""

    def __init__(self, *words: str, cwd: Path = ROOT) -> None:
        self._ours, theirs = pty.openpty()
        # Wide enough that no line is broken.
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x32\x00\xc8\x00\x00\x00\x00\x00")
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, "debug", *words],
            cwd=cwd,
            env={**os.environ, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            close_fds=True,
        )
        os.close(theirs)
        self._text = ""

    def until(self, wanted: str) -> str:
        """Read until a text comes; return what came up to it, and forget that."""
        ends = time.monotonic() + DEADLINE
        while wanted not in self._text:
            if not select.select([self._ours], [], [], max(ends - time.monotonic(), 0))[0]:
                raise AssertionError(f"{wanted!r} did not come: {self._text!r}")
            self._text += os.read(self._ours, 65536).decode().replace("\r\n", "\n")
        before, _, self._text = self._text.partition(wanted)
        return before

    def press(self, keys: str, wanted: str) -> None:
        """Press keys as a person does: again, if nothing happens.

        input() of CPython misses a Ctrl-C between its prompt and its wait for a key.
        """
        for _ in range(DEADLINE):
            self.type(keys)
            if select.select([self._ours], [], [], 1)[0]:
                break
        self.until(wanted)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def ask(self, line: str) -> str:
        """Type a line at the prompt, and return the answer up to the next prompt."""
        self.type(f"{line}\n")
        return self.until("(debug) ")

    def code(self) -> int:
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def watched(server: Server) -> Iterator[Server]:
    """A server that outlives the session, to see that nothing blocks it."""
    with start(server.kind if server.kind != "url" else "embedded") as running:
        yield running
        with redis.Redis.from_url(running.url, socket_timeout=5, retry=None) as client:
            assert client.ping()
            assert client.keys() == []


@pytest.fixture
def terminal(watched: Server) -> Iterator[Terminal]:
    opened = Terminal(*GCRA, "--url", watched.url)
    try:
        opened.until("(debug) ")
        yield opened
    finally:
        opened.close()


def test_a_scripted_session_breaks_prints_and_steps_to_the_reply(server):
    if server.kind == "url":
        pytest.skip("debug starts a server of its own")
    get = line_of("redis.call('GET', state)")
    text = f"break {get}\ncontinue\nprint burst\nnext\nredis GET nothing\nwhere\nbogus\nc\n"

    done = piped(text, *GCRA, "--server", server.kind)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Allowed remaining=4 reset_after=200ms"
    answers = dict(re.findall(r"\(debug\) (\S+)[^\n]*\n((?:(?!\(debug\)).*\n)*)", done.stdout))
    assert answers["continue"] == f"->{get:>5} # local stored = redis.call('GET', state)\n"
    assert answers["print"] == "burst = 5\n"
    assert answers["next"].splitlines()[:2] == ["    GET limit:{u}:gcra", "      = NULL"]
    assert answers["redis"] == "    GET nothing\n      = NULL\n"
    assert answers["where"].startswith(f"top level: ->{get + 1:>5} ")
    assert answers["bogus"] == "no command is called 'bogus': help lists them\n"
    assert "SET limit:{u}:gcra" in answers["c"]


def test_a_pipe_that_ends_aborts_the_script():
    done = piped("step\n", *GCRA)

    assert done.returncode == 0
    assert "the script was aborted where it stood" in done.stderr


def test_an_error_of_the_script_is_the_end_of_the_session():
    done = piped("c\nc\n", "limit.gcra", "subject=u", "limit=11", "period=1ms", "burst=5")

    assert done.returncode == 1
    assert "BadRateError" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setup_comes_first():
    done = piped("c\n", *GCRA[:-1], "burst=1", "--setup", " ".join([*GCRA[:-1], "burst=1"]))

    assert done.stdout.splitlines()[-1].startswith("Limited "), done.stderr


def test_what_does_not_fit_is_said_before_anything_starts():
    done = piped("", "limit.gcra", "subject=u")

    assert done.returncode == 2
    assert "limit, period, burst" in done.stderr


def test_a_session_on_a_terminal_steps_repeats_and_ends(terminal):
    first, inside = line_of("limit = integer("), line_of("local number = text")
    typed = f"break {first}"
    assert terminal.ask(typed).splitlines()[0] == typed  # it is echoed
    assert f"->{first:>5} # limit = integer(limit" in terminal.ask("c")
    assert f"->{inside:>5} " in terminal.ask("s")
    assert f"->{inside + 1:>5} " in terminal.ask("")
    assert "text = 5" in terminal.ask("p text").replace('"', "")
    assert "error: " in terminal.ask("break nowhere")
    terminal.type("c\n")

    assert "SET limit:{u}:gcra" in terminal.until("Allowed remaining=4")
    assert terminal.code() == 0


@pytest.mark.parametrize("keys", ["\x03", "\x04", "quit\n"], ids=["ctrl-c", "ctrl-d", "quit"])
def test_leaving_aborts_the_script_and_leaves_the_server_free(terminal, keys):
    terminal.ask("step")

    terminal.press(keys, "the script was aborted where it stood")
    assert terminal.code() == 0


def test_the_server_answers_others_during_a_session_on_it(terminal, watched):
    terminal.ask("step")

    with redis.Redis.from_url(watched.url, socket_timeout=5, retry=None) as client:
        assert client.ping()


def test_ctrl_c_ends_a_script_that_never_ends(watched, project):
    terminal = Terminal("demo.add", "name=a", "times=14", "--url", watched.url, cwd=project)
    try:
        terminal.until("(debug) ")
        terminal.type("continue\n")
        terminal.until("continue\n")
        time.sleep(0.2)  # it is running

        terminal.press("\x03", "the script was aborted where it stood")
        assert terminal.code() == 0
    finally:
        terminal.close()
