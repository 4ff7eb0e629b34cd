"""A connection on which nothing comes any more holds up those alone whose calls are on it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from redislua.errors import NotExecuted, OutcomeUnknown
from redislua.runtime import arun_many, run, run_many
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import DEADLINE, at_once, echo, eventually
from tests.runtime.proxy import Proxy
from tests.runtime.samples import incr

ANSWER = b"$1\r\n0\r\n"


def test_a_full_write_answered_in_part_stops_no_later_call(caller: Caller, proxy: Proxy) -> None:
    """The network dies half way through the replies; the connection stays open for ever."""
    client = caller.open(proxy.url)
    caller.run(client, echo(0))
    proxy.arm("answer", reply=ANSWER)

    with pytest.raises(OutcomeUnknown):
        caller.run_many(client, *(echo(n) for n in range(256)), deadline=0.3)
    # One of them may still be what finds out that the connection is dead.
    at_once(caller, client, [echo(1)], deadline=0.3)

    assert caller.run(client, echo(2), deadline=DEADLINE) == b"2"


def test_a_big_call_answered_in_part_stops_no_later_big_call(caller: Caller, proxy: Proxy) -> None:
    client = caller.open(proxy.url)
    caller.run(client, echo(0))
    proxy.arm("answer", shots=100, reply=b"$1\r\n")

    at_once(caller, client, [echo(1, 600_000)], deadline=0.3)
    proxy.calm()
    at_once(caller, client, [echo(1, 600_000)], deadline=0.3)

    assert caller.run(client, echo(2, 600_000), deadline=DEADLINE) == b"2"


def test_tasks_with_longer_deadlines_keep_the_silent_connection_and_no_other(
    caller: Caller, proxy: Proxy
) -> None:
    """Those who come later go on another connection long before the batch gives up."""
    if not caller.is_async:
        pytest.skip("for threads see below: it takes a pool whose own connections are taken")
    client = caller.open(proxy.url)
    caller.run(client, echo(0))
    proxy.arm("answer", reply=ANSWER)

    async def later() -> list[Any]:
        calls = [echo(n) for n in range(256)]
        batch = asyncio.create_task(arun_many(client, *calls, deadline=DEADLINE))
        await asyncio.sleep(0.1)
        proxy.calm()
        outcomes: list[Any] = []
        for n in range(4):
            one = await arun_many(client, echo(n), deadline=0.5, return_exceptions=True)
            outcomes += one
        assert not batch.done()
        batch.cancel()
        return outcomes

    outcomes = caller.wait(later())

    assert outcomes[1:] == [b"1", b"2", b"3"]


def test_threads_with_longer_deadlines_keep_the_silent_connection_and_no_other(
    proxy: Proxy, runner: asyncio.Runner
) -> None:
    caller = Caller(is_async=False, runner=runner)
    client = caller.open(proxy.url, max_connections=3)
    taken = _take_own_connections(client, proxy, 2)
    run(client, echo(0))  # on the shared connection
    proxy.arm("answer", reply=ANSWER)
    batch = threading.Thread(target=_ignored, args=(client, 20, 6.0))
    batch.start()
    assert eventually(lambda: proxy.met == 3)

    outcomes = [at_once(caller, client, [echo(n)], deadline=0.5)[0] for n in range(4)]

    assert batch.is_alive()
    assert outcomes[1:] == [b"1", b"2", b"3"]
    for thread in (batch, *taken):
        thread.join()
    caller.close()


@pytest.mark.parametrize("health_check", [1])
def test_no_call_goes_on_an_idle_connection_before_its_ping_is_answered(
    caller: Caller, client: Any, proxy: Proxy, health_check: int
) -> None:
    """The client asks for health checks so that no call is lost on a dead connection."""
    checked = caller.open(proxy.url, health_check_interval=health_check)
    caller.run(checked, incr())
    time.sleep(health_check + 0.1)
    proxy.arm("blackhole", pattern=b"PING", shots=100)

    outcomes = at_once(caller, checked, [incr() for _ in range(10)], deadline=0.5)

    assert [one for one in outcomes if isinstance(one, OutcomeUnknown)] == []
    done = [one for one in outcomes if isinstance(one, int)]
    assert all(isinstance(one, int | NotExecuted) for one in outcomes)
    assert int(client.get("{sample}")) == 1 + len(done)


def _take_own_connections(client: Any, proxy: Proxy, count: int) -> list[threading.Thread]:
    """Keep so many connections of a pool busy, each with a call whose reply takes seconds."""
    proxy.arm("delay", shots=count, amount=8)
    threads = []
    for _ in range(count):
        met = proxy.met
        threads.append(threading.Thread(target=_ignored, args=(client, 1, DEADLINE)))
        threads[-1].start()
        assert eventually(lambda met=met: proxy.met > met)  # type: ignore[misc]
    return threads


def _ignored(client: Any, count: int, deadline: float) -> None:
    run_many(client, *(echo(n) for n in range(count)), deadline=deadline, return_exceptions=True)
