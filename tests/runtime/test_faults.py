"""Calls through a faulty network, with redis-py's default client and its ten retries."""

from __future__ import annotations

import asyncio
import signal
import time
from types import ModuleType
from typing import Any

import pytest
import redis
import valkey

from redislua.errors import OutcomeUnknown, ServerUnreachable
from redislua.runtime import arun, run
from tests.runtime.callers import Caller
from tests.runtime.proxy import FaultName, Proxy
from tests.runtime.samples import incr

LOSSES: list[tuple[FaultName, float]] = [("drop_reply", 0), ("cut", 2), ("reset", 0)]


def executions(client: Any) -> int:
    """How often the counting script ran."""
    return int(client.get("{sample}") or 0)


@pytest.mark.parametrize(("fault", "amount"), LOSSES)
def test_a_lost_reply_of_never_is_unknown_and_sent_once(
    caller: Caller, client: Any, proxy: Proxy, fault: FaultName, amount: float
) -> None:
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr("never"))
    proxy.arm(fault, shots=100, amount=amount)

    with pytest.raises(OutcomeUnknown) as raised:
        caller.run(faulty, incr("never"))

    assert raised.value.__cause__ is not None
    assert proxy.met == 1
    assert executions(client) == (1 if fault == "reset" else 2)


@pytest.mark.parametrize(("fault", "amount"), LOSSES)
@pytest.mark.parametrize("retry", ["safe", "conservative"])
def test_a_lost_reply_that_may_be_repeated_is(
    caller: Caller, client: Any, proxy: Proxy, fault: FaultName, amount: float, retry: Any
) -> None:
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr(retry))
    proxy.arm(fault, shots=2, amount=amount)

    reply = caller.run(faulty, incr(retry))

    assert proxy.met == 2
    assert reply == executions(client) == (2 if fault == "reset" else 4)


def test_a_reply_that_stays_lost_is_sent_three_times(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr("safe"))
    proxy.arm("drop_reply", shots=100)

    with pytest.raises(OutcomeUnknown, match="sent 3 times"):
        caller.run(faulty, incr("safe"))

    assert proxy.met == 3
    assert executions(client) == 4


@pytest.mark.parametrize(
    ("library", "reply"),
    [
        (redis, b"LOADING the dataset"),
        (redis, b"ERR max number of clients reached"),  # in valkey-py like a lost connection
        (valkey, b"LOADING the dataset"),
    ],
    ids=["redis-py-loading", "redis-py-full", "valkey-py-loading"],
)
def test_an_error_reply_that_the_library_takes_for_a_broken_connection_is_a_reply(
    caller: Caller, client: Any, proxy: Proxy, library: ModuleType, reply: bytes
) -> None:
    faulty = caller.open(proxy.url, library=library)
    caller.run(faulty, incr("never"))
    proxy.arm("answer", reply=b"-" + reply + b"\r\n")

    assert [caller.run(faulty, incr("never")) for _ in range(2)] == [2, 3]
    assert proxy.met == 1


def test_an_error_for_the_first_of_two_commands_is_no_answer_to_the_second(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    faulty = caller.open(proxy.url)
    proxy.arm("answer", pattern=b"LOAD", reply=b"-LOADING the dataset\r\n")

    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr("never"))
    assert executions(client) == 0


def test_a_reply_lost_while_healing_counts_as_lost(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    faulty = caller.open(proxy.url)
    proxy.arm("drop_reply", pattern=b"LOAD", shots=100)

    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr("never"))

    assert proxy.met == 1
    assert executions(client) == 1


@pytest.mark.parametrize("retry", ["never", "safe"])
def test_no_reply_at_all_is_waited_for_until_the_deadline(
    caller: Caller, client: Any, proxy: Proxy, retry: Any
) -> None:
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr(retry))
    proxy.arm("blackhole", shots=100)

    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr(retry), deadline=0.3)

    # The client's own socket timeout is five seconds: the deadline and not it was kept.
    assert time.monotonic() - started < 4
    assert executions(client) == 2


def test_a_slow_reply_within_the_deadline_is_the_reply(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    faulty = caller.open(proxy.url, socket_timeout=0.05)
    caller.run(faulty, incr("never"))
    proxy.arm("delay", amount=0.3)

    assert caller.run(faulty, incr("never"), deadline=30) == 2
    assert executions(client) == 2


def test_a_late_reply_never_meets_the_next_call(caller: Caller, client: Any, proxy: Proxy) -> None:
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr("never"))
    proxy.arm("delay", amount=0.6)

    with pytest.raises(OutcomeUnknown):
        caller.run(faulty, incr("never"), deadline=0.3)
    assert caller.run(faulty, incr("never")) == 3
    time.sleep(0.5)
    assert caller.run(faulty, incr("never")) == 4


def test_a_connection_that_died_while_idle_costs_no_call(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)
    caller.run(own, incr("never"))
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    assert caller.run(own, incr("never")) == 2
    assert executions(client) == 2


def test_a_handshake_that_never_ends_is_not_executed(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    faulty = caller.open(proxy.url)
    proxy.arm("blackhole", pattern=b"HELLO", shots=100)

    started = time.monotonic()
    with pytest.raises(ServerUnreachable):
        caller.run(faulty, incr("never"), deadline=0.3)

    assert time.monotonic() - started < 4
    assert executions(client) == 0


def test_scripts_flushed_between_calls_are_loaded_again(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)

    for count in range(1, 6):
        assert caller.run(own, incr("never")) == count
        client.script_flush()


def test_a_cancelled_call_drops_its_connection(
    runner: asyncio.Runner, client: Any, proxy: Proxy
) -> None:
    caller = Caller(is_async=True, runner=runner)
    faulty = caller.open(proxy.url)
    caller.run(faulty, incr("never"))
    proxy.arm("delay", amount=0.1, shots=100)

    async def cancelled() -> None:
        task = asyncio.create_task(arun(faulty, incr("never")))
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for count in (3, 5, 7):
        runner.run(cancelled())
        assert caller.run(faulty, incr("never")) == count
    assert executions(client) == 7
    caller.close()


def test_an_interrupted_call_drops_its_connection(client: Any, proxy: Proxy) -> None:
    class Interrupt(BaseException):
        """What Ctrl-C raises, under a name of its own."""

    def interrupt(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with redis.Redis(host="127.0.0.1", port=proxy.port) as faulty:
            run(faulty, incr("never"))
            proxy.arm("delay", amount=0.3)
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Interrupt):
                run(faulty, incr("never"), deadline=30)

            assert run(faulty, incr("never")) == 3
    finally:
        signal.signal(signal.SIGALRM, before)


def test_cancelled_calls_among_others_cross_no_replies(runner: asyncio.Runner, client: Any) -> None:
    caller = Caller(is_async=True, runner=runner)
    own = caller.open_like(client, max_connections=10)

    async def storm() -> list[int]:
        replies = []
        for _ in range(20):
            tasks = [asyncio.create_task(arun(own, incr("never"), deadline=30)) for _ in range(20)]
            await asyncio.sleep(0.001)
            for task in tasks[::3]:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            replies += [reply for reply in done if isinstance(reply, int)]
        return replies

    replies = runner.run(storm())

    assert len(set(replies)) == len(replies) >= 20 * 13
    assert max(replies) <= executions(client) <= 400
    caller.close()
