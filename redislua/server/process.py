"""A server as a process of ours that cannot outlive us.

Between us and the server stands a shell that reads a pipe whose other end only we
hold. When the pipe closes, in whatever way this process ended, the shell kills the
server and removes its folder. This is portable, and bound to the process:
PR_SET_PDEATHSIG is Linux's alone, and fires when the *thread* that forked ends. The
shell is in a session of its own, so a Ctrl-C meant for us does not reach it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import redis

from redislua.errors import ServerUnavailable
from redislua.server import version
from redislua.server.running import Server, arguments

START_DEADLINE = 20.0
"""Seconds until a server must answer; it takes 10 to 60 ms on an idle machine."""

_POLL = 0.002
_ANSWER = 1.0  # until a connection that was taken counts as not ours
_SOCKET = "redis.sock"
_PORT_RACES = 5
_LAST_LINES = 8
_SOCKET_PATH_BYTES = 100  # sun_path holds 104 bytes on macOS, 108 on Linux, NUL included
_HIGHEST_PORT = 55_535  # a cluster's bus listens on the port plus 10 000

# $1 is the folder, the rest is the server's command line. The pipe is standard input,
# moved to descriptor 3 because a shell gives its background jobs /dev/null. A line on
# the pipe says stop as well as its end does: a fork of ours may hold it open.
_SUPERVISOR = """\
folder=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(read -r _ <&3; kill -KILL "$server") &
watch=$!
exec 3<&-
wait "$server"
status=$?
kill "$watch" 2>/dev/null
command -p rm -rf -- "$folder"
exit "$status"
"""


class _AddressTaken(Exception):
    """Another process took the port between our looking and the server's binding."""


def start(path: Path, kind: str, *, unix_socket: bool, config: Mapping[str, str]) -> Server:
    """Start the binary at ``path`` and return once it answers.

    Raises:
        ServerUnavailable: It is no Redis or Valkey server, is too old, ends at start or
            does not answer. The text ends with the last lines of its log.
    """
    options = arguments(config)
    product = version.of_binary(path)
    for _ in range(_PORT_RACES):
        folder = _new_folder()
        listen, url = _socket_in(folder) if unix_socket else _free_port()
        supervised = _Supervised(
            [str(path), *listen, "--daemonize", "no", "--dir", str(folder), *options], folder
        )
        try:
            supervised.wait_until_ready(url, f"{kind} ({product})")
        except _AddressTaken:
            supervised.end()
        except BaseException:
            supervised.end()
            raise
        else:
            return Server(kind, url, product, supervised.end)
    raise ServerUnavailable(
        f"{kind}: {_PORT_RACES} free ports of 127.0.0.1 were each taken by another process "
        "before the server could bind them; try again, or use a Unix socket"
    )


class _Supervised:
    """One server process, its supervisor and its log."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._folder = folder
        self._owner = os.getpid()
        read_end, self._lifeline = os.pipe()
        self._log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._shell = subprocess.Popen(  # noqa: S603 - a fixed program; the binary was checked
                ["/bin/sh", "-c", _SUPERVISOR, "redislua-server", str(folder), *command],
                stdin=read_end,
                stdout=self._log,
                stderr=self._log,
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._log)
            shutil.rmtree(folder)
            raise
        finally:
            os.close(read_end)

    def wait_until_ready(self, url: str, name: str) -> None:
        """Wait until the server answers at ``url``.

        Raises:
            ServerUnavailable: It ended, or did not answer before the deadline.
            _AddressTaken: It ended because its port was in use.
        """
        deadline = time.monotonic() + START_DEADLINE
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="surrogateescape",
            socket_timeout=_ANSWER,
        )
        with contextlib.closing(client):
            while not self._answers(client):
                status = self._shell.poll()
                if status is not None:
                    self._explain_end(name, status)
                if time.monotonic() > deadline:
                    raise ServerUnavailable(
                        f"{name} did not answer within {START_DEADLINE:g} s.{self._last_lines()}"
                    )
                time.sleep(_POLL)

    def end(self) -> None:
        """Stop the server and wait until it and its folder are gone."""
        # A fork of ours runs our atexit too, but the server is its parent's.
        if os.getpid() == self._owner:
            with contextlib.suppress(BrokenPipeError):  # it has ended by itself
                os.write(self._lifeline, b"\n")
            self._shell.wait()
        os.close(self._lifeline)
        os.close(self._log)

    def _answers(self, client: redis.Redis) -> bool:
        """Tell whether this server answers, and not another one that took its port."""
        try:
            return client.config_get("dir") == {"dir": str(self._folder)}
        except redis.RedisError:
            return False

    def _explain_end(self, name: str, status: int) -> NoReturn:
        lines = self._last_lines()
        if "ddress already in use" in lines:
            raise _AddressTaken
        raise ServerUnavailable(
            f"{name} ended at start with status {status}; look at the options it was given.{lines}"
        )

    def _last_lines(self) -> str:
        # pread: the offset is shared with the server, which has the same open file.
        log = os.pread(self._log, os.fstat(self._log).st_size, 0).decode("utf-8", "replace")
        lines = [line for line in log.splitlines() if line.strip()][-_LAST_LINES:]
        return "\n  ".join([" Its last lines:", *lines]) if lines else " It printed nothing."


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="redislua-"))
    if len(os.fsencode(folder / _SOCKET)) > _SOCKET_PATH_BYTES:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="redislua-", dir="/tmp"))
    # As the server itself will name it: it asks the kernel where it stands.
    return folder.resolve()


def _socket_in(folder: Path) -> tuple[list[str], str]:
    """Return the options and the URL of a Unix socket in ``folder``."""
    path = folder / _SOCKET
    return ["--port", "0", "--unixsocket", str(path)], f"unix://{quote(str(path))}?db=0"


def _free_port() -> tuple[list[str], str]:
    """Return the options and the URL of a loopback port that is free now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port <= _HIGHEST_PORT:
            return ["--bind", "127.0.0.1", "--port", str(port)], f"redis://127.0.0.1:{port}/0"
