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
from collections.abc import Callable, Mapping
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

# $1 is the folder, $2 whether it outlives the server, the rest is the server's command
# line. The pipe is standard input, moved to descriptor 3 because a shell gives its
# background jobs /dev/null. A line on the pipe says stop as well as its end does: a fork
# of ours may hold it open. A folder that outlives its server is removed when the pipe
# ends, unless we said that it is ours again.
_SUPERVISOR = """\
folder=$1; outlives=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(read -r _ <&3; kill -KILL "$server") &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
wait "$watch" 2>/dev/null
if [ "$outlives" = yes ]; then
  (while read -r word <&3; do [ "$word" = keep ] && exit; done
  command -p rm -rf -- "$folder") &
else
  command -p rm -rf -- "$folder"
fi
exit "$status"
"""


class AddressTaken(Exception):
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
        folder = new_folder()
        listen, url = _socket_in(folder) if unix_socket else _free_port()
        supervised = Supervised(
            [str(path), *listen, "--daemonize", "no", "--dir", str(folder), *options], folder
        )
        try:
            supervised.wait_until_ready(url, f"{kind} ({product})", _stands_in(folder))
        except AddressTaken:
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


class Supervised:
    """One server process, its supervisor and its log.

    Args:
        command: The server's command line.
        folder: Where it runs; exists, and holds nothing but the server's own files.
        outlives: Whether the folder stays when the server ends, so that another
            `Supervised` can run in it. It is gone after `end`, and with this process.
    """

    def __init__(self, command: list[str], folder: Path, *, outlives: bool = False) -> None:
        self._folder = folder
        self._outlives = outlives
        self._owner = os.getpid()
        read_end, self._lifeline = os.pipe()
        self._log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._shell = subprocess.Popen(  # noqa: S603 - a fixed program; the binary was checked
                [
                    *["/bin/sh", "-c", _SUPERVISOR, "redislua-server"],
                    *[str(folder), "yes" if outlives else "no", *command],
                ],
                stdin=read_end,
                stdout=self._log,
                stderr=self._log,
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._log)
            if not outlives:
                shutil.rmtree(folder)
            raise
        finally:
            os.close(read_end)

    @property
    def is_running(self) -> bool:
        """Whether the server has not ended."""
        return self._shell.poll() is None

    def wait_until_ready(self, url: str, name: str, is_ours: Callable[[redis.Redis], bool]) -> None:
        """Wait until the server answers at ``url``.

        Args:
            url: Where it listens.
            name: What errors call it.
            is_ours: Tells whether this server answers, and not another one that took its
                port; what it raises of redis-py counts as no answer yet.

        Raises:
            ServerUnavailable: It ended, or did not answer before the deadline.
            AddressTaken: It ended because its port was in use.
        """
        deadline = time.monotonic() + START_DEADLINE
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="surrogateescape",
            socket_timeout=_ANSWER,
        )
        with contextlib.closing(client):
            while not _answers(client, is_ours):
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
            self.kill()
            if self._outlives:
                shutil.rmtree(self._folder)
        self.leave()

    def leave(self) -> None:
        """Let go of a server that has ended. A folder that outlives it stays."""
        if os.getpid() == self._owner:
            self._say(b"keep\n")
        os.close(self._lifeline)
        os.close(self._log)

    def kill(self) -> None:
        """End the server as SIGKILL does, and wait until it is gone."""
        self._say(b"\n")
        self._shell.wait()

    def _say(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens: all has ended already
            os.write(self._lifeline, line)

    def _explain_end(self, name: str, status: int) -> NoReturn:
        lines = self._last_lines()
        if "ddress already in use" in lines:
            raise AddressTaken
        raise ServerUnavailable(
            f"{name} ended at start with status {status}; look at the options it was given.{lines}"
        )

    def _last_lines(self) -> str:
        # pread: the offset is shared with the server, which has the same open file.
        log = os.pread(self._log, os.fstat(self._log).st_size, 0).decode("utf-8", "replace")
        lines = [line for line in log.splitlines() if line.strip()][-_LAST_LINES:]
        return "\n  ".join([" Its last lines:", *lines]) if lines else " It printed nothing."


def _answers(client: redis.Redis, is_ours: Callable[[redis.Redis], bool]) -> bool:
    try:
        return is_ours(client)
    except redis.RedisError:
        return False


def _stands_in(folder: Path) -> Callable[[redis.Redis], bool]:
    """Recognise a server by the folder that nobody else has."""
    return lambda client: client.config_get("dir") == {"dir": str(folder)}


def new_folder() -> Path:
    """Return a new temporary folder in which a Unix socket's path is short enough."""
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
