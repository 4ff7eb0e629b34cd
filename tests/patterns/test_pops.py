"""Waiting at the end of a list's queue, whichever driver does it."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import pytest

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._plan import Plan, do, pop, sleep, spawn, stop
from redislua.server import Server
from tests.patterns.stage import Stage, blocked, until_blocked


def test_waiters_of_a_list_are_served_in_the_order_in_which_they_came(
    stage: Stage, client: Any
) -> None:
    served: list[int] = []
    driver = stage.driver()

    def waiter(number: int) -> Plan[None]:
        yield from until_blocked(client, number)
        if (yield from pop(b"{q}", 30.0)):
            served.append(number)

    def waker() -> Plan[None]:
        yield from until_blocked(client, 4)
        for number in range(4):
            yield from do(lambda: client.rpush("{q}", "wake"))
            while len(served) == number:
                yield from sleep(0.001)

    stage.together(
        *(lambda one=one: driver.run(waiter(one)) for one in range(4)), lambda: driver.run(waker())
    )

    assert served == [0, 1, 2, 3]


def test_whoever_waits_gets_the_element(stage: Stage, client: Any) -> None:
    client.rpush("{q}", b"\x00\xff", b"second")
    taken: list[bytes] = []

    assert stage.run(pop(b"{q}", 5.0, taken)) == b"\x00\xff"
    assert stage.run(pop(b"{q}", 5.0, taken)) == b"second"
    assert taken == [b"\x00\xff", b"second"]


def test_a_wait_for_nothing_ends(stage: Stage, client: Any) -> None:
    assert stage.run(pop(b"{q}", 0.05)) is None
    assert stage.run(pop(b"{q}", 0.0)) is None  # to the server, 0 is for ever


def test_a_list_that_is_none_is_waited_for_all_the_same(stage: Stage, client: Any) -> None:
    client.set("{q}", "a string")
    began = time.monotonic()

    assert stage.run(pop(b"{q}", 0.2)) is None
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("came", [True, False], ids=["with an element", "without"])
def test_a_wait_that_is_cancelled_tells_what_it_had_taken(
    stage: Stage, client: Any, came: bool
) -> None:
    """Also when the element is on its way in this very moment: it is lost on nobody."""
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    driver, seen = stage.driver(), []

    def plan() -> Plan[None]:
        taken: list[bytes] = []
        try:
            yield from pop(b"{q}", 60.0, taken)
        finally:
            seen.append(list(taken))

    async def cancel() -> bool:
        task = asyncio.get_running_loop().create_task(driver.run(plan()))
        await driver.run(until_blocked(client, 1))
        if came:
            client.rpush("{q}", "element")  # blocks the event loop until it was pushed
        task.cancel()
        await asyncio.wait((task,))
        return task.cancelled()

    assert stage.surface.wait(cancel())
    assert seen == [[b"element"] if came else []]
    assert blocked(client) == 0


@pytest.mark.parametrize("came", [True, False], ids=["with an element", "without"])
def test_a_wait_beside_that_is_stopped_tells_what_it_had_taken(
    stage: Stage, client: Any, came: bool
) -> None:
    seen: list[list[bytes]] = []

    def beside() -> Plan[None]:
        taken: list[bytes] = []
        try:
            yield from pop(b"{q}", 60.0, taken)
        finally:
            seen.append(list(taken))

    def plan() -> Plan[None]:
        background = yield from spawn(beside())
        yield from until_blocked(client, 1)
        if came:
            yield from do(lambda: client.rpush("{q}", "element"))
        yield from stop(background)

    stage.run(plan())

    assert seen == [[b"element"] if came else []]
    assert blocked(client) == 0


@pytest.mark.single_server("the user is one server's")
def test_a_client_that_may_not_ask_for_its_number_waits_all_the_same(
    stage: Stage, client: Any, server: Server
) -> None:
    client.acl_setuser("poor", enabled=True, nopass=True, keys=["*"], commands=["+blpop"])
    client.rpush("{q}", "element")
    poor: Any = type(stage.client).from_url(server.url, username="poor", password="x")
    driver: Any = (AsyncDriver if stage.is_async else Driver)(poor)

    try:
        assert stage.run(pop(b"{q}", 5.0), driver) == b"element"
        assert stage.run(pop(b"{q}", 0.05), driver) is None
    finally:
        stage.call(lambda: poor.aclose() if stage.is_async else poor.close())
        client.acl_deluser("poor")


def connected(client: Any) -> int:
    """How many connections all servers have been asked for since they started."""
    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    return sum(int(node.info("stats")["total_connections_received"]) for node in nodes)


def test_one_connection_is_good_for_many_waits(stage: Stage, client: Any) -> None:
    driver = stage.driver()
    stage.run(pop(b"{q}", 0.001), driver)
    before = connected(client)

    for number in range(20):
        client.rpush("{q}", number)
        assert stage.run(pop(b"{q}", 5.0), stage.driver()) == b"%d" % number

    assert connected(client) == before


def test_of_the_connections_of_many_waits_a_few_are_kept(stage: Stage, client: Any) -> None:
    driver = stage.driver()
    others = waits_of(client)  # of other clients of the session

    found = stage.together(*([lambda: driver.run(pop(b"{q}", 0.5))] * 20))
    stage.run(sleep(0.1), driver)  # an event loop closes them when it next turns

    assert found == [None] * 20
    assert 1 <= len(waits_of(client) | others) - len(others) <= 8


def waits_of(client: Any) -> set[tuple[str, str]]:
    """The connections that waited last, or wait."""
    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    listed = [one for node in nodes for one in node.client_list()]
    return {(one["laddr"], one["id"]) for one in listed if one["cmd"] == "blpop"}


def test_a_connection_that_the_server_closed_is_replaced(stage: Stage, client: Any) -> None:
    driver = stage.driver()
    stage.run(pop(b"{q}", 0.001), driver)
    for node in client.primaries() if hasattr(client, "primaries") else [client]:
        for one in node.client_list():
            if one["cmd"] == "blpop":
                node.client_kill_filter(_id=one["id"])
    client.rpush("{q}", "element")

    assert stage.run(pop(b"{q}", 5.0), driver) == b"element"


def test_a_client_that_is_gone_leaves_no_connection_behind(
    stage: Stage, client: Any, server: Server
) -> None:
    if stage.surface.way.is_cluster:
        pytest.skip("one server is enough")

    def wait_and_go() -> None:
        own: Any = type(stage.client).from_url(server.url, client_name="gone")
        driver: Any = (AsyncDriver if stage.is_async else Driver)(own)
        stage.run(pop(b"{q}", 0.001), driver)
        assert [one for one in client.client_list() if one["name"] == "gone"]
        stage.call(lambda: own.aclose() if stage.is_async else own.close())

    wait_and_go()
    gc.collect()
    stage.run(sleep(0.1))

    assert not [one for one in client.client_list() if one["name"] == "gone"]
