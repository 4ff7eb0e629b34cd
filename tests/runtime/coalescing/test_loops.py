"""One asyncio client in several event loops: at once, one after another, and as they end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import redis.asyncio

from redislua.runtime import arun
from redislua.runtime.pools import AnyAsyncPool, async_pools
from tests.runtime.coalescing.crowd import connections, echo, eventually
from tests.runtime.coalescing.gate import Gate


async def crowd(client: redis.asyncio.Redis, first: int) -> bool:
    """Whether each of many tasks has its own reply, several times over."""
    numbers = range(first, first + 50)
    for _ in range(5):
        replies = await asyncio.gather(*(arun(client, echo(number)) for number in numbers))
        if replies != [b"%d" % number for number in numbers]:
            return False
    return True


def test_crowds_in_two_loops_never_meet(gate: Gate, client: redis.Redis) -> None:
    own = redis.asyncio.Redis(host="127.0.0.1", port=gate.port)
    before = connections(client)
    outcomes: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda first: outcomes.append(asyncio.run(crowd(own, first))), args=(first,)
        )
        for first in (0, 1000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [True, True]
    assert eventually(lambda: connections(client) == before)


ENDINGS = """
import asyncio, gc
import redis.asyncio
from redislua.runtime import arun
from tests.runtime.coalescing.crowd import echo

client = redis.asyncio.Redis(host="127.0.0.1", port={port})

async def leave():
    await arun(client, echo(0))
    calls = [asyncio.ensure_future(arun(client, echo(n, 100_000))) for n in range(50)]
    await asyncio.sleep(0)
    assert not any(call.done() for call in calls)

for _ in range(3):
    asyncio.run(leave())
    gc.collect()
assert asyncio.run(arun(client, echo(7))) == b"7"
"""


def test_loops_that_end_with_calls_in_flight_say_nothing_and_leave_nothing_open(
    gate: Gate, client: redis.Redis
) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", ENDINGS.format(port=gate.port)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_loop_that_is_closed_while_the_client_goes_is_no_failure(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is collected in one thread and its loop ends in another."""
    own = redis.asyncio.Redis(host="127.0.0.1", port=gate.port)
    loop = asyncio.new_event_loop()

    async def use() -> AnyAsyncPool:
        await arun(own, echo(0))
        return async_pools.of(own)

    pool = loop.run_until_complete(use())
    loop.run_until_complete(loop.shutdown_asyncgens())
    soon = loop.call_soon_threadsafe

    def close_first(callback: Callable[[], object]) -> asyncio.Handle:
        loop.close()
        return soon(callback)

    monkeypatch.setattr(loop, "call_soon_threadsafe", close_first)
    pool.close_soon()

    assert loop.is_closed()


def test_a_client_that_goes_or_is_closed_with_calls_in_flight_fails_none(
    gate: Gate, client: redis.Redis
) -> None:
    before = connections(client)
    numbers = range(30)

    async def begun(own: redis.asyncio.Redis) -> list[asyncio.Task[bytes]]:
        await arun(own, echo(0))
        tasks = [asyncio.create_task(arun(own, echo(number))) for number in numbers]
        await asyncio.sleep(0)
        return tasks

    async def main() -> None:
        own = redis.asyncio.Redis(host="127.0.0.1", port=gate.port)
        tasks = await begun(own)
        await own.aclose()
        assert await asyncio.gather(*tasks) == [b"%d" % number for number in numbers]
        assert await arun(own, echo(1)) == b"1"
        tasks = await begun(redis.asyncio.Redis(host="127.0.0.1", port=gate.port))
        assert await asyncio.gather(*tasks) == [b"%d" % number for number in numbers]

    asyncio.run(main())

    assert eventually(lambda: connections(client) == before)
