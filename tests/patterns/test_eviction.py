"""Watching servers in the background: what is told, and that nothing ends it but stopping."""

from __future__ import annotations

import asyncio
import doctest
import functools
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
import redis.asyncio

from redislua.bindings import cache
from redislua.errors import InvalidArgument, UnsupportedClient
from redislua.patterns import eviction
from redislua.patterns.connect import connect
from redislua.patterns.eviction import (
    Alarm,
    AsyncEvictionMonitor,
    EvictionMonitor,
    Look,
    Thresholds,
)
from redislua.runtime import run
from redislua.server import Cluster, SentinelSet, Server
from tests.patterns.stage import Stage

SOON = timedelta(milliseconds=20)
STRICT = Thresholds(least_lookups=1)


def made(stage: Stage, **options: Any) -> Any:
    return stage.make(EvictionMonitor, AsyncEvictionMonitor, **options)


def until(stage: Stage, happened: Callable[[], object]) -> None:
    """Wait, in the event loop of asyncio, until something has happened."""
    deadline = time.monotonic() + 20
    pause = functools.partial(asyncio.sleep, 0.01) if stage.is_async else lambda: time.sleep(0.01)
    while not happened():
        assert time.monotonic() < deadline
        stage.call(pause)


def test_each_node_is_looked_at_once_and_windows_begin_with_the_second(
    stage: Stage, client: Any
) -> None:
    monitor = made(stage)

    first = stage.call(monitor.look)
    client.get("there is none")
    second = stage.call(monitor.look)

    assert len(first) == (3 if stage.surface.way.is_cluster else 1)
    assert [look.node for look in first] == [look.node for look in second]
    assert all(look.reading and not look.window and not look.alarms for look in first)
    assert sum(look.window.lookups for look in second) == 1
    assert [look.window.hit_rate for look in second if look.window.lookups] == [0]


def test_alarms_and_looks_are_told(stage: Stage, client: Any) -> None:
    alarms: list[Alarm] = []
    looks: list[Look] = []
    monitor = made(stage, thresholds=STRICT, on_alarm=alarms.append, on_look=looks.append)
    stage.call(monitor.look)

    stage.surface.call(cache.read(key="none"))
    stage.call(monitor.look)
    told = [alarm.kind for alarm in alarms]
    stage.call(monitor.look)

    assert told == ["hit-rate"]
    # An idle window is no alarm, however bad the one before it was.
    assert [alarm.kind for alarm in alarms] == told
    assert len(looks) == (9 if stage.surface.way.is_cluster else 3)


def test_the_background_looks_until_it_is_stopped(stage: Stage, client: Any) -> None:
    looks: list[Look] = []
    monitor = made(stage, every=SOON, on_look=looks.append)

    stage.call(monitor.start)
    until(stage, lambda: len(looks) > 6)
    stage.call(monitor.stop)
    seen = len(looks)
    stage.call(functools.partial(asyncio.sleep, 0.1) if stage.is_async else lambda: time.sleep(0.1))

    assert looks[-1].window is not None
    assert len(looks) == seen


@pytest.mark.single_server("counts tasks and threads")
def test_starting_twice_is_starting_once_and_stopping_is_final(stage: Stage, client: Any) -> None:
    """P20: the second start leaked a timer that no stop could stop."""
    looks: list[Look] = []
    monitor = made(stage, every=SOON, on_look=looks.append)

    stage.call(monitor.start)
    stage.call(monitor.start)
    until(stage, lambda: looks)
    stage.call(monitor.stop)
    stage.call(monitor.stop)
    seen = len(looks)
    stage.call(functools.partial(asyncio.sleep, 0.1) if stage.is_async else lambda: time.sleep(0.1))
    assert len(looks) == seen

    stage.call(monitor.start)
    until(stage, lambda: len(looks) > seen)
    stage.call(monitor.stop)


@pytest.mark.single_server("the same on a cluster")
def test_what_a_function_raises_is_logged_and_watching_goes_on(
    stage: Stage, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """P20: an error in the interval killed the process."""
    looks: list[Look] = []

    def fail(look: Look) -> None:
        looks.append(look)
        raise ZeroDivisionError("mine")

    monitor = made(stage, every=SOON, on_look=fail)

    with caplog.at_level(logging.ERROR, logger="redislua.eviction"):
        stage.call(monitor.start)
        until(stage, lambda: len(looks) > 2)
        stage.call(monitor.stop)

    assert "ZeroDivisionError: mine" in caplog.text


@pytest.mark.client_side
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
def test_it_outlives_the_server(
    private_cluster: Cluster, is_async: bool, runner: asyncio.Runner
) -> None:
    """P20: a lost connection ended the process."""
    node = private_cluster.nodes[0]
    name = f"{node.host}:{node.port}"
    looks: list[Look] = []
    alarms: list[Alarm] = []

    def seen(happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not happened():
            assert time.monotonic() < deadline, looks[-6:]
            runner.run(asyncio.sleep(0.01)) if is_async else time.sleep(0.01)

    def down_and_up() -> None:
        seen(lambda: len(looks) > 12)
        node.kill()
        seen(lambda: any(look.node == name and look.error for look in looks))
        node.restart()
        before = len(looks)
        seen(lambda: any(look.node == name and look.window for look in looks[before:]))

    options: dict[str, Any] = {
        "every": SOON,
        "on_look": looks.append,
        "on_alarm": alarms.append,
    }
    host, port = private_cluster.addresses[1]
    if is_async:
        asynchronous = redis.asyncio.RedisCluster(host, port)
        watching = AsyncEvictionMonitor(asynchronous, **options)
        runner.run(watching.start())
        down_and_up()
        runner.run(watching.stop())
        runner.run(asynchronous.aclose())
    else:
        with redis.RedisCluster(host, port) as client, EvictionMonitor(client, **options):
            down_and_up()

    assert {alarm.kind for alarm in alarms if alarm.node == name} == {"unreachable"}
    others = {look.node for look in looks if look.window is not None}
    assert len(others) == 6


@pytest.mark.client_side
def test_alarms_are_logged_where_nobody_else_is_told(
    server: Server, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = EvictionMonitor(client, thresholds=STRICT)
    monitor.look()
    client.get("none")

    with caplog.at_level(logging.WARNING, logger="redislua.eviction"):
        monitor.look()

    assert "0.0% of 1 look-ups found a key" in caplog.text
    assert server.url.removeprefix("redis://").removesuffix("/0") in caplog.text


@pytest.mark.client_side
def test_a_server_that_was_never_there_is_an_alarm() -> None:
    with redis.Redis(port=1) as client:
        (look,) = EvictionMonitor(client, on_alarm=lambda _: None).look()

    assert (look.node, look.reading) == ("localhost:1", None)
    assert [alarm.kind for alarm in look.alarms] == ["unreachable"]


@pytest.mark.client_side
def test_of_sentinels_the_primary_is_watched_by_its_name(sentinel_set: SentinelSet) -> None:
    with connect(sentinel_set.url) as client:
        (look,) = EvictionMonitor(client).look()

    assert look.node == "mymaster"
    assert look.reading is not None
    assert look.reading.role == "master"


@pytest.mark.client_side
def test_coroutine_functions_are_awaited(server: Server, runner: asyncio.Runner) -> None:
    seen = []
    enough = asyncio.Event()

    async def on_look(look: Look) -> None:
        await asyncio.sleep(0)
        seen.append(look.node)
        if len(seen) == 3:
            enough.set()

    async def main() -> None:
        client = redis.asyncio.Redis.from_url(server.url)
        async with client, AsyncEvictionMonitor(client, every=SOON, on_look=on_look):
            await enough.wait()

    runner.run(main())

    assert len(set(seen)) == 1


@pytest.mark.client_side
def test_a_forked_child_may_watch_by_itself(client: redis.Redis) -> None:
    looks: list[Look] = []
    monitor = EvictionMonitor(client, every=SOON, on_look=looks.append)
    with monitor:
        while len(looks) < 2:
            time.sleep(0.01)
        child = os.fork()
        if not child:
            looks.clear()
            monitor.start()
            deadline = time.monotonic() + 10
            while len(looks) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            os._exit(0 if len(looks) >= 2 else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.client_side
def test_the_background_is_one_thread_that_ends(client: redis.Redis) -> None:
    def threads() -> int:
        return sum(one.name == "redislua-background" for one in threading.enumerate())

    before = threads()
    monitor = EvictionMonitor(client, every=timedelta(hours=1))
    monitor.start()
    monitor.start()

    assert threads() == before + 1
    monitor.stop()  # at once, whatever the time until the next look
    assert threads() == before


@pytest.mark.client_side
@pytest.mark.parametrize(
    "wrong",
    [
        {"every": timedelta(0)},
        {"every": 10},
        {"on_alarm": "print"},
        {"on_look": 1},
    ],
)
def test_what_cannot_be_is_refused(client: redis.Redis, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        EvictionMonitor(client, **wrong)

    assert raised.value.parameter in wrong


@pytest.mark.client_side
def test_the_other_kind_of_client_is_refused(client: redis.Redis) -> None:
    wrong: Any = redis.asyncio.Redis()
    other: Any = client

    with pytest.raises(UnsupportedClient):
        EvictionMonitor(wrong)
    with pytest.raises(UnsupportedClient):
        AsyncEvictionMonitor(other)


@pytest.mark.client_side
def test_the_example_runs(client: redis.Redis) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    wrong: list[str] = []
    (example,) = [one for one in finder.find(EvictionMonitor) if one.examples]
    example.globs.update(vars(eviction), client=client)

    doctest.DocTestRunner().run(example, out=wrong.append)

    assert wrong == []


@pytest.mark.client_side
def test_looking_uses_no_connection_of_the_client(server: Server) -> None:
    with redis.Redis.from_url(server.url, max_connections=1) as client:
        held = client.connection_pool.get_connection()
        try:
            (look,) = EvictionMonitor(client).look()
        finally:
            client.connection_pool.release(held)
        run(client, cache.read(key="k"))

    assert look.reading is not None
