"""What makes a server turn a call away before its first line, and how it is put right again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from redislua.errors import (
    NotExecuted,
    NotPrimary,
    OutOfMemory,
    ScriptBusy,
    ServerLoading,
    ServerRefused,
    ServerUnreachable,
)
from tests.faults.grounds import Ground, admin, wait_until

SPIN = "while true do end"

NOBODY = ("127.0.0.1", 1)
"""A primary that no replica ever reaches."""


@dataclass(frozen=True)
class Refusal:
    """One reason, and what a caller is told.

    Attributes:
        name: For test ids.
        row: Of the table of faults.
        error: The exact class.
        code: The server's code.
        on: Holds the server in that state.
        in_cluster: Whether a node of a cluster can be brought to it.
    """

    name: str
    row: int
    error: type[NotExecuted]
    code: str
    on: Callable[[Ground], AbstractContextManager[None]]
    in_cluster: bool = True


@contextlib.contextmanager
def busy(ground: Ground) -> Iterator[None]:
    """Another client's script holds the server, until it is killed."""

    def spin() -> None:
        with contextlib.suppress(redis.ResponseError), admin(ground.at) as victim:
            victim.eval(SPIN, 0)

    with ground.configured(lua_time_limit="10"):
        thread = threading.Thread(target=spin)
        thread.start()
        try:
            wait_until(lambda: is_busy(ground))
            yield
        finally:
            kill(ground)
            thread.join()


def is_busy(ground: Ground) -> bool:
    """Whether a script has held the server for longer than its threshold."""
    with admin(ground.at) as asking:
        try:
            asking.ping()
        except redis.ResponseError as error:
            return str(error).startswith("BUSY")
    return False


def kill(ground: Ground) -> None:
    """SCRIPT KILL, unless nothing runs; returns when the server answers again."""
    with admin(ground.at) as killer:
        try:
            killer.script_kill()
        except redis.ResponseError as error:
            if "NOTBUSY" not in str(error):
                raise
    wait_until(lambda: not is_busy(ground))


@contextlib.contextmanager
def loading(ground: Ground) -> Iterator[None]:
    """The server reads its data back, slowly."""
    home = ground.home
    home.execute_command("DEBUG", "POPULATE", "20000", "{sample}:much")
    with ground.configured(key_load_delay="500", loading_process_events_interval_bytes="1024"):

        def reload() -> None:
            with admin(ground.at) as reloading:
                reloading.execute_command("DEBUG", "RELOAD")

        thread = threading.Thread(target=reload)
        thread.start()
        try:
            wait_until(lambda: is_loading(ground))
            yield
            assert is_loading(ground)
        finally:
            home.config_set("key-load-delay", "0")
            thread.join()


def is_loading(ground: Ground) -> bool:
    """Whether the server reads its data back."""
    return bool(ground.home.info("persistence")["loading"])


@contextlib.contextmanager
def full(ground: Ground) -> Iterator[None]:
    """The server is over its memory, and evicts nothing."""
    with ground.configured(maxmemory_policy="noeviction", maxmemory="1"):
        yield


@contextlib.contextmanager
def unsaved(ground: Ground) -> Iterator[None]:
    """The last snapshot failed: a folder is where its file should go."""
    home = ground.home
    names: Any = home.config_get("dir", "dbfilename")
    obstacle = Path(names["dir"]) / names["dbfilename"]
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()
    with ground.configured(save="3600 100000"):
        home.bgsave()
        wait_until(lambda: home.info("persistence")["rdb_last_bgsave_status"] == "err")
        try:
            yield
        finally:
            obstacle.rmdir()
            home.bgsave()
            wait_until(lambda: home.info("persistence")["rdb_last_bgsave_status"] == "ok")
            obstacle.unlink()


@contextlib.contextmanager
def alone(ground: Ground) -> Iterator[None]:
    """The server asks for more replicas than it has."""
    with ground.configured(min_replicas_to_write="5"):
        yield


@contextlib.contextmanager
def demoted(ground: Ground) -> Iterator[None]:
    """The server is a replica that still serves what it has."""
    ground.home.replicaof(*NOBODY)
    try:
        yield
    finally:
        ground.home.replicaof("NO", "ONE")


@contextlib.contextmanager
def orphaned(ground: Ground) -> Iterator[None]:
    """The server is a replica that serves nothing without its primary."""
    with ground.configured(replica_serve_stale_data="no"), demoted(ground):
        yield


@contextlib.contextmanager
def crowded(ground: Ground) -> Iterator[None]:
    """The server takes no more connections, and has just closed those it had."""
    with ground.configured(maxclients="1"):
        ground.cut_all()
        yield


REFUSALS = (
    Refusal("busy", 21, ScriptBusy, "BUSY", busy),
    Refusal("full", 25, OutOfMemory, "OOM", full),
    Refusal("loading", 27, ServerLoading, "LOADING", loading),
    Refusal("unsaved", 28, ServerRefused, "MISCONF", unsaved),
    Refusal("alone", 29, ServerRefused, "NOREPLICAS", alone),
    # A replica of a cluster sends writes to its primary: see the tests of redirections.
    Refusal("demoted", 9, NotPrimary, "READONLY", demoted, in_cluster=False),
    Refusal("crowded", 41, ServerUnreachable, "ERR", crowded),
)
