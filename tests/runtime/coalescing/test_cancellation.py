"""Tasks that are cancelled, and loops that end, with calls on their way."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import warnings

import redis.asyncio

from redislua.runtime import arun, arun_many
from tests.runtime.coalescing.crowd import DEADLINE, echo
from tests.runtime.proxy import Proxy


def test_a_loop_that_ends_with_calls_in_flight_leaves_nothing_open(proxy: Proxy) -> None:
    async def main() -> redis.asyncio.Redis:
        client = redis.asyncio.Redis(host="127.0.0.1", port=proxy.port)
        await arun(client, echo(0))
        proxy.arm("delay", amount=0.3, shots=1000)
        tasks = [asyncio.create_task(arun(client, echo(n))) for n in range(5)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        return client

    gc.collect()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        client = asyncio.run(main())
        gc.collect()
        del client
        gc.collect()

    assert [str(warning.message) for warning in heard] == []


def test_what_was_never_written_is_not_kept_after_its_task_was_cancelled(proxy: Proxy) -> None:
    """The connection takes no more for a while, and callers that lose patience come and go."""

    async def main() -> int:
        client = redis.asyncio.Redis(host="127.0.0.1", port=proxy.port)
        await arun(client, echo(0))
        proxy.arm("blackhole", shots=1)
        batch = asyncio.create_task(
            arun_many(client, *(echo(n) for n in range(256)), deadline=DEADLINE)
        )
        await asyncio.sleep(0.05)
        first = asyncio.create_task(arun(client, echo(0), deadline=DEADLINE))
        await asyncio.sleep(0)
        tracemalloc.start()
        for _ in range(100):
            impatient = asyncio.create_task(arun(client, echo(0, 512 * 1024), deadline=DEADLINE))
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.sleep(0)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for task in (batch, first):
            task.cancel()
        await asyncio.gather(batch, first, return_exceptions=True)
        await client.aclose()
        return kept

    assert asyncio.run(main()) < 8 * 1024 * 1024
