"""What each server's errors become: asked of real servers, `pytest --server all` of all."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from redis.exceptions import ResponseError

import redislua.server
from redislua.errors import (
    AccessDenied,
    CallError,
    NotPrimary,
    OutOfMemory,
    ScriptAccessDenied,
    ScriptBusy,
    ScriptFault,
    ScriptKilled,
    ScriptNotDeployed,
    ServerLoading,
    ServerRefused,
    ServerUnreachable,
    WrongType,
)
from redislua.runtime import run
from redislua.server import Server
from tests.runtime.callers import Caller
from tests.runtime.samples import BadStateError, call, incr

WRITE = call("return redis.call('SET', KEYS[1], 'v')")
SPIN = "while true do end"


def failure(client: Any, body: str, *args: bytes, **options: Any) -> CallError:
    """The error that a call ends in."""
    with pytest.raises(CallError) as raised:
        run(client, call(body, *args, **options), deadline=30)
    return raised.value


def user(server: Server, *rules: str) -> Any:
    """A client of a user of its own."""
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", *rules)
    return redis.Redis.from_url(server.url, username="app", password="secret")


# --- executed and failed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("local x\n\nreturn x + 1", 4, "attempt to perform arithmetic"),
        ("local function f() local x; return x.y end\nreturn f()", 2, "attempt to index"),
        ("error('plain text')", 2, "plain text"),
        ("return redis.call('NOPE')", 2, "nknown"),
        ("\nreturn redis.call('GET')", 3, "rong number of args"),
        ("x = 3", 2, "Attempt to modify a readonly table"),
        ("local = 3", 2, "Error compiling script"),
    ],
)
def test_a_fault_names_file_and_line(client: Any, body: str, line: int, reason: str) -> None:
    error = failure(client, body)

    assert type(error) is ScriptFault
    assert (error.file, error.line) == ("sample/script.v1.lua", line)
    assert reason in error.reason
    assert " script: " not in error.reason
    assert str(error).endswith(f"(sample/script.v1.lua:{line})")


def test_a_fault_without_a_place_has_no_line(client: Any) -> None:
    error = failure(client, "return redis.error_reply('something is wrong')")

    assert type(error) is ScriptFault
    assert (error.line, error.reason) == (None, "something is wrong")


def test_an_undeclared_code_is_a_fault_with_that_code(client: Any) -> None:
    error = failure(client, "return redis.error_reply('RLUA_OTHER text')")

    assert type(error) is ScriptFault
    assert error.code == "RLUA_OTHER"
    assert error.reason == "RLUA_OTHER text (a code that the header does not declare)"


@pytest.mark.parametrize(
    "body",
    [
        "return redis.error_reply('RLUA_BAD_STATE The entry is strange.')",
        "return {err='RLUA_BAD_STATE The entry is strange.'}",
        "error({err='RLUA_BAD_STATE The entry is strange.'})",
    ],
    ids=["error_reply", "table", "raised"],
)
def test_a_declared_error_is_its_own_class(client: Any, body: str) -> None:
    error = failure(client, body)

    assert type(error) is BadStateError
    assert error.reason == "The entry is strange."
    assert error.code == "RLUA_BAD_STATE"
    assert (error.script, error.keys) == ("sample.script@1.2.3", (b"{sample}",))


@pytest.mark.parametrize(("function", "line"), [("call", 2), ("pcall", None)])
def test_wrongtype_is_typed(client: Any, function: str, line: int | None) -> None:
    client.set("{sample}", "a string")

    error = failure(client, f"return redis.{function}('HGET', KEYS[1], 'f')")

    assert type(error) is WrongType
    assert (error.code, error.line) == ("WRONGTYPE", line)


@pytest.mark.parametrize(
    "body", ["return redis.call('INCR', KEYS[1])", "return redis.call('GET', 'other')"]
)
def test_a_command_refused_inside_the_script_is_script_access_denied(
    private: Server, body: str
) -> None:
    with user(private, "+@all", "-incr", "resetkeys", "~{sample}") as client:
        error = failure(client, body)

    assert type(error) is ScriptAccessDenied
    assert error.line == 2


# --- not executed ----------------------------------------------------------------------------


def test_a_key_outside_the_users_pattern_is_access_denied(private: Server) -> None:
    with user(private, "+@all", "resetkeys", "~app:*") as client:
        error = failure(client, "return 1")

    assert type(error) is AccessDenied
    assert error.code == "NOPERM"


def test_a_user_without_evalsha_is_access_denied(private: Server) -> None:
    with user(private, "+@all", "-evalsha") as client:
        assert type(failure(client, "return 1")) is AccessDenied


def test_a_wrong_password_is_access_denied(caller: Caller, private: Server) -> None:
    user(private, "+@all").close()
    client = caller.open(private.url, username="app", password="guess")

    with pytest.raises(AccessDenied) as raised:
        caller.run(client, incr())
    assert raised.value.code == "WRONGPASS"


def test_a_user_who_may_not_load_calls_through_eval(caller: Caller, private: Server) -> None:
    user(private, "+@all", "-script|load").close()
    client = caller.open(private.url, username="app", password="secret")

    assert [caller.run(client, incr()) for _ in range(3)] == [1, 2, 3]


def test_a_user_who_may_neither_load_nor_eval_gets_script_not_deployed(
    caller: Caller, private: Server
) -> None:
    user(private, "+@all", "-script|load", "-eval").close()
    client = caller.open(private.url, username="app", password="secret")

    with pytest.raises(ScriptNotDeployed) as raised:
        caller.run(client, incr())
    assert raised.value.sha1 == incr().script.sha1
    assert raised.value.code == "NOSCRIPT"


def test_a_deployed_script_needs_neither_right(caller: Caller, private: Server) -> None:
    user(private, "+@all", "-script|load", "-eval").close()
    client = caller.open(private.url, username="app", password="secret")
    with redis.Redis.from_url(private.url) as deployer:
        deployer.script_load(incr().script.source)

    assert caller.run(client, incr()) == 1


def test_a_full_server_refuses_a_script_before_its_first_line(
    caller: Caller, private: Server
) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.config_set("maxmemory", "1")
        client = caller.open(private.url)

        with pytest.raises(OutOfMemory) as raised:
            caller.run(client, WRITE)
        assert raised.value.code == "OOM"
        assert not admin.exists("{sample}")
        ending = call("return redis.call('DEL', KEYS[1])", flags=" flags=allow-oom")
        reading = call("return redis.call('GET', KEYS[1])", flags=" flags=no-writes")
        assert caller.run(client, ending) == 0
        assert caller.run(client, reading) is None


def test_too_few_replicas_is_server_refused(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("min-replicas-to-write", "1")

        error = failure(client, "return redis.call('SET', KEYS[1], 'v')")

    assert type(error) is ServerRefused
    assert error.code == "NOREPLICAS"


def test_a_snapshot_that_failed_is_server_refused(server: Server) -> None:
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    protected = {"enable-protected-configs": "yes"}
    with (
        redislua.server.start(server.kind, config=protected) as private,
        redis.Redis.from_url(private.url) as client,
    ):
        client.set("one", "key")
        client.config_set("dbfilename", "folder")
        folder = client.config_get("dir")["dir"]
        (Path(folder) / "folder").mkdir()
        client.config_set("save", "3600 1")
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

        error = failure(client, "return redis.call('SET', KEYS[1], 'v')")

    assert type(error) is ServerRefused
    assert error.code == "MISCONF"


def test_a_replica_is_not_primary(caller: Caller, private: Server) -> None:
    with replica_of(private) as replica:
        client = caller.open(replica.url)

        with pytest.raises(NotPrimary) as raised:
            caller.once(client, WRITE)
        reading = call("return redis.call('GET', KEYS[1])", flags=" flags=no-writes")
        assert caller.run(client, reading) is None
    assert raised.value.code == "READONLY"


def test_a_replica_without_its_primary_is_loading(caller: Caller, private: Server) -> None:
    with replica_of(private) as replica, redis.Redis.from_url(replica.url) as client:
        client.config_set("replica-serve-stale-data", "no")
        private.stop()
        wait_until(lambda: client.info("replication")["master_link_status"] == "down")

        with pytest.raises(ServerLoading) as raised:
            caller.once(caller.open(replica.url), call("return 1", flags=" flags=no-writes"))
    assert raised.value.code == "MASTERDOWN"


def test_a_loading_server_is_waited_for(caller: Caller, private: Server) -> None:
    with redis.Redis.from_url(private.url, retry=None) as admin:
        admin.execute_command("DEBUG", "POPULATE", "8000")
        admin.config_set("key-load-delay", "200")
        admin.config_set("loading-process-events-interval-bytes", "1024")
        client = caller.open(private.url)
        assert caller.run(client, incr()) == 1

        reloading = threading.Thread(target=admin.execute_command, args=("DEBUG", "RELOAD"))
        reloading.start()
        with redis.Redis.from_url(private.url, retry=None) as other:
            wait_until(lambda: other.info("persistence")["loading"] == 1)
            with pytest.raises(ServerLoading) as raised:
                caller.once(client, incr())
            assert other.info("persistence")["loading"] == 1
        assert caller.run(client, incr(), deadline=60) == 2
        reloading.join()
    assert raised.value.code == "LOADING"


def test_a_busy_server_is_waited_for_and_a_killed_script_was_not_executed(
    caller: Caller, private: Server
) -> None:
    with redis.Redis.from_url(private.url, retry=None) as admin:
        admin.config_set("lua-time-limit", "10")
        ended: list[BaseException] = []

        def spin() -> None:
            try:
                with redis.Redis.from_url(private.url) as victim:
                    run(victim, call(SPIN), deadline=60)
            except CallError as error:
                ended.append(error)

        spinning = threading.Thread(target=spin)
        spinning.start()
        client = caller.open(private.url)
        wait_until(lambda: is_busy(admin))

        with pytest.raises(ScriptBusy) as raised:
            caller.once(client, incr())
        killer = threading.Timer(0.2, admin.script_kill)
        killer.start()
        assert caller.run(client, incr(), deadline=60) == 1
        spinning.join()
        killer.join()
    assert raised.value.code == "BUSY"
    assert [type(error) for error in ended] == [ScriptKilled]


def test_a_closed_port_is_not_executed(caller: Caller, private: Server) -> None:
    client = caller.open(private.url)
    private.stop()

    started = time.monotonic()
    with pytest.raises(ServerUnreachable):
        caller.run(client, incr(), deadline=0.2)
    # redis-py itself takes seconds here; only that it is not those seconds is checked.
    assert time.monotonic() - started < 2


# --- what these tests stand on -----------------------------------------------------------


@contextlib.contextmanager
def replica_of(primary: Server) -> Iterator[Server]:
    """A connected replica."""
    address = urlsplit(primary.url)
    config = {"replicaof": f"{address.hostname} {address.port}"}
    with redis.Redis.from_url(primary.url) as client:
        client.config_set("repl-diskless-sync-delay", "0")
    with redislua.server.start(primary.kind, config=config) as server:
        with redis.Redis.from_url(server.url) as client:
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        yield server


def is_busy(client: Any) -> bool:
    try:
        client.ping()
    except ResponseError as error:
        return str(error).startswith("BUSY")
    return False


def wait_until(condition: Any) -> None:
    """Wait for a server's state; the limit only ends a test that would hang."""
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)
