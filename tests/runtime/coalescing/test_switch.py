"""How many connections a client's calls have, with coalescing switched on and off."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import redis

from redislua.errors import CallError
from redislua.runtime import configure, run
from redislua.runtime.connections import threads
from redislua.server import Server
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import at_once, connections, echo, eventually
from tests.runtime.proxy import Proxy


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("first", [True, False], ids=["on-off-on", "off-on-off"])
def test_the_switch_may_be_turned_on_a_client_in_use(
    caller: Caller, client: Any, most: int, first: bool
) -> None:
    own = caller.open_like(client, max_connections=most)

    for coalesce in (first, not first, first):
        configure(own, coalesce=coalesce)
        assert caller.run(own, echo(1)) == b"1"
        assert caller.run_many(own, echo(2), echo(3)) == (b"2", b"3")


def test_calls_that_are_not_to_be_coalesced_have_a_connection_each(
    caller: Caller, client: redis.Redis, proxy: Proxy
) -> None:
    own = caller.open(proxy.url)
    caller.run(own, echo(0))
    configure(own, coalesce=False)
    before = connections(client)
    proxy.arm("delay", shots=1000, amount=0.2)

    assert at_once(caller, own, [echo(n) for n in range(12)]) == [b"%d" % n for n in range(12)]
    assert connections(client) - before >= 11


def test_bursts_with_rests_between_them_open_no_further_connections(
    client: redis.Redis, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "IDLE", 0.05)
    caller = Caller(is_async=False, runner=runner)
    own = caller.open_like(client)
    before = connections(client)

    for _ in range(10):
        for _ in range(5):
            assert None not in at_once(caller, own, [echo(n) for n in range(40)])
        assert eventually(lambda: not _threads())

    assert connections(client) - before <= 9
    caller.close()


def test_a_thread_that_cannot_be_started_costs_the_calls_of_that_moment_alone(
    server: Server, runner: asyncio.Runner
) -> None:
    caller = Caller(is_async=False, runner=runner)
    own = caller.open(server.url, max_connections=2)
    caller.run(own, echo(0))
    start, outcomes = threading.Barrier(21), list[Any]()
    callers = [threading.Thread(target=_outcome, args=(own, start, outcomes)) for _ in range(20)]
    for thread in callers:
        thread.start()
    before = threading.stack_size(1 << 46)  # no address space holds the stack of a new thread

    start.wait()
    for thread in callers:
        thread.join()
    threading.stack_size(before)

    assert all(isinstance(one, bytes | CallError) for one in outcomes)
    for _ in range(5):
        assert at_once(caller, own, [echo(n) for n in range(20)]) == [b"%d" % n for n in range(20)]
    caller.close()


def _outcome(client: Any, start: threading.Barrier, outcomes: list[Any]) -> None:
    start.wait()
    try:
        outcomes.append(run(client, echo(1), deadline=1))
    except BaseException as error:
        outcomes.append(error)


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "redislua"]
