"""Every byte arrives as it was sent, whatever the client decodes and whichever way it goes."""

from __future__ import annotations

import uuid
from types import ModuleType
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis._parsers import _AsyncRESP2Parser, _AsyncRESP3Parser, _RESP2Parser, _RESP3Parser

import redislua.server
from redislua.errors import (
    AccessDenied,
    OutcomeUnknown,
    ScriptAccessDenied,
    ServerUnreachable,
    WrongType,
)
from redislua.runtime import Call, run
from redislua.server import Server
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import BadStateError, call, incr

ECHO = "redis.call('SET', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), #ARGV[1], KEYS[1]}"
NASTY = [b"", b"\x00", b"\xff\xfe", b"a\r\nb", b"*1\r\n$4\r\nPING\r\n", bytes(range(256)) * 300]


@pytest.fixture(params=[redis, valkey], ids=["redis-py", "valkey-py"])
def library(request: pytest.FixtureRequest) -> Any:
    """Both client libraries."""
    return request.param


@pytest.mark.parametrize("decode_responses", [False, True])
@pytest.mark.parametrize("protocol", [2, 3])
def test_bytes_come_back_as_bytes(
    caller: Caller, client: Any, library: ModuleType, protocol: int, decode_responses: bool
) -> None:
    own = caller.open_like(
        client, library=library, protocol=protocol, decode_responses=decode_responses
    )

    for value in NASTY:
        assert caller.run(own, call(ECHO, value)) == [value, len(value), b"{sample}"]


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_parsers_written_in_python_serve_as_well(
    caller: Caller, client: Any, protocol: int
) -> None:
    parsers = (
        (_AsyncRESP2Parser, _AsyncRESP3Parser) if caller.is_async else (_RESP2Parser, _RESP3Parser)
    )
    own = caller.open_like(client, protocol=protocol, decode_responses=True)
    own.connection_pool.connection_kwargs["parser_class"] = parsers[protocol - 2]

    for value in NASTY:
        assert caller.run(own, call(ECHO, value)) == [value, len(value), b"{sample}"]


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(key=st.binary(min_size=1), args=st.lists(st.binary(), max_size=5))
def test_any_key_and_argument_arrives(client: Any, key: bytes, args: list[bytes]) -> None:
    echo = call("return {KEYS, ARGV}")
    sent = Call(echo.script, (key,), tuple(args), echo.decode)

    assert run(client, sent) == [[key], args]


def test_replies_that_look_like_nothing_are_replies(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)

    assert caller.run(own, call("return false")) is None
    assert caller.run(own, call("return {}")) == []
    assert caller.run(own, call("return {ok='FINE'}")) == b"FINE"
    assert caller.run(own, call("return {1, false, 'x'}")) == [1, None, b"x"]


def test_a_reply_of_a_megabyte_arrives_whole(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)

    assert caller.run(own, call("return string.rep('x', 2^20)"), deadline=30) == b"x" * 2**20


def test_a_unix_socket_serves_as_well(caller: Caller, server: Server, library: ModuleType) -> None:
    if server.kind == "url":
        pytest.skip("a server given by its URL cannot be started twice")
    with redislua.server.start(server.kind, unix_socket=True) as private:
        with redis.Redis.from_url(private.url) as admin:
            path = admin.connection_pool.connection_kwargs["path"]
        package = library.asyncio if caller.is_async else library
        kind = package.Redis if library is redis else package.Valkey
        own = caller.keep(kind(unix_socket_path=path))

        assert [caller.run(own, incr()) for _ in range(3)] == [1, 2, 3]


def test_the_clients_database_and_name_are_used(
    caller: Caller, client: Any, library: ModuleType
) -> None:
    name = f"redislua-{uuid.uuid4()}"
    own = caller.open_like(client, library=library, db=5, client_name=name)

    caller.run(own, incr())

    listed = [one for one in client.client_list() if one["name"] == name]
    assert [one["db"] for one in listed] == ["5"]
    assert client.get("{sample}") is None


# --- valkey-py's own exceptions --------------------------------------------------------------


@pytest.fixture
def vclient(caller: Caller, client: Any) -> Any:
    """A valkey-py client of the caller's kind."""
    return caller.open_like(client, library=valkey)


def test_valkey_py_heals_noscript(caller: Caller, client: Any, vclient: Any) -> None:
    for count in range(1, 4):
        assert caller.run(vclient, incr()) == count
        client.script_flush()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return redis.error_reply('RLUA_BAD_STATE text')", BadStateError),
        ("redis.call('SET', KEYS[1], 1) return redis.call('HGET', KEYS[1], 1)", WrongType),
    ],
)
def test_valkey_py_errors_are_the_same_errors(
    caller: Caller, vclient: Any, body: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        caller.run(vclient, call(body))


def test_valkey_py_access_errors_are_the_same_errors(caller: Caller, private: Server) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL SETUSER app on >secret ~{sample} +@all -incr")
    own = caller.open(private.url, library=valkey, username="app", password="secret")
    guess = caller.open(private.url, library=valkey, username="app", password="guess")
    elsewhere = call("return 1")

    with pytest.raises(ScriptAccessDenied):
        caller.run(own, incr())
    with pytest.raises(AccessDenied):
        caller.run(own, Call(elsewhere.script, (b"other",), (), elsewhere.decode))
    with pytest.raises(AccessDenied):
        caller.run(guess, incr())


def test_valkey_py_loses_replies_as_honestly(caller: Caller, client: Any, proxy: Proxy) -> None:
    faulty = caller.open(proxy.url, library=valkey)
    caller.run(faulty, incr("never"))
    proxy.arm("drop_reply", shots=100)

    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr("never"))
    assert (proxy.met, client.get("{sample}")) == (1, b"2")


def test_valkey_py_keeps_the_deadline(caller: Caller, client: Any, proxy: Proxy) -> None:
    faulty = caller.open(proxy.url, library=valkey)
    caller.run(faulty, incr("never"))
    proxy.arm("blackhole", shots=100)

    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr("never"), deadline=0.3)


def test_valkey_py_on_a_closed_port_is_not_executed(caller: Caller, private: Server) -> None:
    own = caller.open(private.url, library=valkey)
    private.stop()

    with pytest.raises(ServerUnreachable):
        caller.run(own, incr(), deadline=0.1)
