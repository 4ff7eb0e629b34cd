"""``@requires``: a server that cannot run a script is told before anything is sent to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import redis

from redislua.errors import NotExecuted, ServerTooOld, ServerUnreachable
from redislua.runtime import Call, run
from redislua.runtime.connections.product import lacking, product_of
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import incr

FLOOR = {"redis": (7, 0), "valkey": (7, 2)}


def requiring(bounds: Mapping[str, tuple[int, ...]]) -> Call[Any]:
    call = incr("never")
    return dataclasses.replace(call, script=dataclasses.replace(call.script, requires=bounds))


def test_a_server_that_will_do_is_called(call, client):
    assert call(requiring(FLOOR)) == 1
    assert call(requiring(FLOOR)) == 2


@pytest.mark.parametrize(
    "bounds", [{"redis": (99,), "valkey": (99,)}, {"valkey": (99, 1)}, {"redis": (99, 0, 1)}]
)
def test_a_server_that_will_not_do_gets_nothing(bounds, call, client, server):
    with pytest.raises(ServerTooOld) as caught:
        call(requiring(bounds))

    product, version = server.version.lower().split()
    assert f"the server is {product} {version}" in str(caught.value)
    assert "needs " in str(caught.value)
    assert isinstance(caught.value, NotExecuted)
    assert client.dbsize() == 0
    assert call(requiring(FLOOR)) == 1, "the connection goes on"


def test_each_connection_asks_once_and_only_for_scripts_that_require(client, server):
    with redis.Redis.from_url(server.url, protocol=2) as own:
        client.config_resetstat()
        run(own, incr("safe"))
        assert "cmdstat_hello" not in client.info("commandstats")

        for _ in range(5):
            run(own, requiring(FLOOR))

        assert client.info("commandstats")["cmdstat_hello"]["calls"] == 1


def test_a_lost_hello_is_no_lost_call(caller: Caller, client: Any, proxy: Proxy):
    """Of a ``never`` call nothing was sent yet: it is tried again on another connection."""
    own = caller.open(proxy.url, protocol=2)
    proxy.arm("drop_reply", pattern=b"HELLO", shots=1)

    assert caller.run(own, requiring(FLOOR)) == 1
    assert proxy.met == 1


def test_a_hello_that_stays_lost_is_not_executed(caller: Caller, client: Any, proxy: Proxy):
    own = caller.open(proxy.url, protocol=2)
    proxy.arm("drop_reply", pattern=b"HELLO", shots=1000)

    with pytest.raises(ServerUnreachable):
        caller.run(own, requiring(FLOOR), deadline=0.3)

    assert client.dbsize() == 0


@pytest.mark.parametrize(
    ("hello", "product"),
    [
        ({b"server": b"redis", b"version": b"7.0.15"}, ("redis", (7, 0, 15))),
        ([b"server", b"valkey", b"version", b"9.1.2"], ("valkey", (9, 1, 2))),
        ({b"server": b"redis", b"version": b"8.4-rc1"}, ("redis", (8, 4))),
        ({b"server": b"redis", b"version": b"unstable"}, ("redis", ())),
        (redis.ResponseError("NOPERM"), ("", ())),
    ],
)
def test_a_hello_names_product_and_version(hello, product):
    assert product_of(hello) == product


def test_versions_are_compared_part_by_part():
    assert lacking(("redis", (7, 10, 0)), {"redis": (7, 9)}) == ""
    assert lacking(("redis", (7, 4)), {"redis": (7, 4)}) == ""
    assert lacking(("redis", (7, 4)), {"redis": (7, 4, 1), "valkey": (8,)}) == (
        "needs redis>=7.4.1 or valkey>=8; the server is redis 7.4"
    )
