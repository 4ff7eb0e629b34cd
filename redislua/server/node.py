"""One server of several that belong together: killed, held and started again at will."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redislua.errors import ServerUnavailable
from redislua.server import binary, embedded, process, version
from redislua.server.ports import HOST, Lease

SETTLE_DEADLINE = 30.0
"""Seconds that servers get to come to an agreement; they take about two."""

_ANSWER = 2.0  # seconds a node gets for one answer, a loaded machine's pauses included
_POLL = 0.02
_PORT_RACES = 5
_CONFIG = "server.conf"

T = TypeVar("T", bound="Node")


class Program(NamedTuple):
    """What every node of a set runs.

    Attributes:
        kind: What was asked for, ``binary:redis-server``.
        path: The server's binary.
        version: Its product and version.
    """

    kind: str
    path: Path
    version: str


def program(kind: str, what: str) -> Program:
    """Return the program that a kind stands for.

    Raises:
        ServerUnavailable: The kind is unknown, a container, or not to be had here.
    """
    name, _, rest = kind.partition(":")
    if kind == "embedded":
        path = embedded.binary()
    elif name == "binary" and rest:
        path = binary.find(rest)
    elif name == "container":
        raise ServerUnavailable(
            f"{kind}: a {what} is made of plain processes, not of containers: "
            "use embedded or binary:/path/to/redis-server"
        )
    else:
        raise ServerUnavailable(
            f"unknown kind of {what} {kind!r}: use embedded or binary:/path/to/redis-server"
        )
    return Program(kind, path, version.of_binary(path))


class Node:
    """One server of a cluster or of a Sentinel set.

    Its folder outlives it, so that it starts again as what it was: with its cluster's
    or its sentinels' own notes, and without data (unless it was told to save it).

    Attributes:
        host: Where it listens, ``127.0.0.1``.
        port: Its port, the same after a restart.
        url: ``redis://127.0.0.1:12345/0``.
    """

    def __init__(self, of: Program, options: Sequence[str], config: Sequence[str] = ()) -> None:
        """Launch the server; `await_answer` tells when it answers.

        Args:
            of: What to run.
            options: Command line, which holds at every start.
            config: Lines of the configuration file, which the server itself rewrites.
        """
        self._lease = Lease.new()
        self.host = HOST
        self.port = self._lease.port
        self.url = f"redis://{HOST}:{self.port}/0"
        self._name = f"{of.kind} ({of.version})"
        self._lock = threading.RLock()
        self._pid = 0
        self._is_stopped = False
        self._is_suspended = False
        try:
            self._folder = process.new_folder()
            try:
                self._config = self._folder / _CONFIG
                self._config.write_text("".join(f"{line}\n" for line in config))
                self._command = [str(of.path), str(self._config), *options, *self._place()]
                self._process = self._launch()
            except BaseException:
                shutil.rmtree(self._folder)
                raise
        except BaseException:
            self._lease.close()
            raise

    @property
    def address(self) -> tuple[str, int]:
        """``(host, port)``."""
        return self.host, self.port

    @property
    def is_running(self) -> bool:
        """Whether the server's process is there, suspended or not."""
        return not self._is_stopped and self._process.is_running

    @property
    def can_answer(self) -> bool:
        """Whether the server runs and is not suspended."""
        return self.is_running and not self._is_suspended

    def kill(self) -> None:
        """End the server as SIGKILL does, and wait until it is gone. Dead, it stays dead."""
        with self._lock:
            if not self._is_stopped:
                self._process.kill()
                self._is_suspended = False

    def suspend(self) -> None:
        """Hold the server (SIGSTOP): its port takes connections and bytes, nothing answers.

        Raises:
            ServerUnavailable: The server does not run.
        """
        with self._lock:
            if not self._pid or not self.is_running:
                raise ServerUnavailable(f"{self!r} does not run: there is nothing to suspend")
            os.kill(self._pid, signal.SIGSTOP)
            self._is_suspended = True

    def resume(self) -> None:
        """Let a suspended server go on (SIGCONT). For any other it does nothing."""
        with self._lock:
            if self._is_suspended and self.is_running:
                os.kill(self._pid, signal.SIGCONT)
            self._is_suspended = False

    def restart(self) -> None:
        """Start the server again, where it was and as what it was, without data.

        A server that runs is killed first. Returns once it answers; what it then finds out
        from its peers takes longer.

        Raises:
            ServerUnavailable: It was stopped, it does not start, or its port was taken.
        """
        with self._lock:
            if self._is_stopped:
                raise ServerUnavailable(f"{self!r} was stopped for good")
            self.kill()
            self._pid = 0
            fresh = self._launch()
            # Only now: there is always a supervisor that removes the folder if we die.
            self._process.leave()
            self._process = fresh
            try:
                self.await_answer()
            except process.AddressTaken as taken:
                raise ServerUnavailable(
                    f"{self!r}: another process took its port meanwhile"
                ) from taken

    def stop(self) -> None:
        """End the server for good and remove its folder. Calling it again does nothing."""
        with self._lock:
            if not self._is_stopped:
                self._is_stopped = True
                self._process.end()
                self._lease.close()

    @contextlib.contextmanager
    def connected(self) -> Iterator[redis.Redis]:
        """Give a client of this node alone, which repeats nothing and decodes replies."""
        with redis.Redis(
            host=self.host,
            port=self.port,
            protocol=2,
            decode_responses=True,
            socket_timeout=_ANSWER,
            socket_connect_timeout=_ANSWER,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            yield client

    def ask(self, *words: str | int) -> Any:
        """Send one command and return redis-py's reading of its reply (RESP2, decoded)."""
        with self.connected() as client:
            execute: Any = client.execute_command
            return execute(*words)

    def await_answer(self) -> None:
        """Wait until the server answers.

        Raises:
            ServerUnavailable: It ended, or said nothing before the deadline.
            AddressTaken: It ended because its port was in use.
        """
        self._process.wait_until_ready(self.url, self._name, self._is_this)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host}:{self.port}>"

    def _place(self) -> list[str]:
        listen = ["--bind", self.host, "--port", str(self.port)]
        return [*listen, "--daemonize", "no", "--dir", str(self._folder)]

    def _launch(self) -> process.Supervised:
        return process.Supervised(self._command, self._folder, outlives=True)

    def _is_this(self, client: redis.Redis) -> bool:
        """Recognise the server by its configuration file: a sentinel answers no CONFIG GET."""
        answer: Any = client.info("server")
        if answer["config_file"] != str(self._config):
            return False
        self._pid = answer["process_id"]
        return True


def start_all(count: int, launch: Callable[[], T]) -> list[T]:
    """Launch ``count`` nodes side by side and return them once all answer.

    Raises:
        ServerUnavailable: One of them does not start; the others are stopped.
    """
    nodes: list[T] = []
    try:
        for _ in range(count):
            nodes.append(launch())  # noqa: PERF401 - those before a failure must be stopped
        for place in range(count):
            _await_or_replace(nodes, place, launch)
    except BaseException:
        stop_all(nodes)
        raise
    return nodes


def _await_or_replace(nodes: list[T], place: int, launch: Callable[[], T]) -> None:
    for _ in range(_PORT_RACES):
        try:
            nodes[place].await_answer()
        except process.AddressTaken:
            nodes[place].stop()
            nodes[place] = launch()
        else:
            return
    raise ServerUnavailable(
        f"{_PORT_RACES} free ports of {HOST} were each taken by another process before the "
        "server could bind them; try again"
    )


def stop_all(nodes: Sequence[Node]) -> None:
    """Stop every node, in this order, also when stopping one fails."""
    with contextlib.ExitStack() as stack:
        for node in reversed(nodes):
            stack.callback(node.stop)


def await_agreement(what: str, problem: Callable[[], str | None]) -> None:
    """Wait until ``problem`` finds none.

    Args:
        what: What errors call the set of servers.
        problem: Says in words what is not as it should be, or None; what it raises of
            redis-py counts as a problem.

    Raises:
        ServerUnavailable: There was one until the deadline.
    """
    deadline = time.monotonic() + SETTLE_DEADLINE
    while (found := spoken(problem)) is not None:
        if time.monotonic() > deadline:
            raise ServerUnavailable(f"{what} is not in order after {SETTLE_DEADLINE:g} s: {found}")
        time.sleep(_POLL)


def spoken(problem: Callable[[], str | None]) -> str | None:
    """Return what ``problem`` finds, with what redis-py raises as one more problem."""
    try:
        return problem()
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"


def unsynchronised(primary: Node, replicas: int, key: str) -> str | None:
    """Say why a write to ``primary`` does not reach ``replicas`` replicas, or None.

    ``master_link_status`` says up before a replica acknowledges; WAIT on the connection
    that wrote is the one honest sign.
    """
    with primary.connected() as client:
        client.set(key, "")
        reached: Any = client.wait(replicas, int(_ANSWER * 500))
        client.delete(key)
    if reached >= replicas:
        return None
    return f"a write to {primary} reached {reached} of {replicas} replicas"
