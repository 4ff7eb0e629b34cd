"""Whoever is cancelled while it takes or holds something holds nothing, and stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import lock as lock_scripts
from redislua.bindings import semaphore as semaphore_scripts
from redislua.patterns.lock import AsyncLock
from redislua.patterns.semaphore import AsyncSemaphore
from redislua.runtime import run
from tests.patterns.stage import Stage

pytestmark = pytest.mark.client_side

TURNS = [*range(20), *(int(20 * 1.3**step) for step in range(40))]
"""Turns of the event loop after which a task is cancelled, until it has ended by itself."""


@pytest.fixture(params=["lock", "semaphore"])
def make(request: pytest.FixtureRequest, stage: Stage, client: Any) -> Callable[[], Any]:
    """``make()`` is a lock, or a semaphore with one slot."""
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    options: Any = {"hold": timedelta(minutes=10), "wait": timedelta(seconds=60)}
    if request.param == "lock":
        return lambda: AsyncLock(stage.client, "n", **options)
    return lambda: AsyncSemaphore(stage.client, "n", 1, **options)


def free(client: Any, held: Any) -> bool:
    """Whether nobody holds it, asked behind the event loop's back."""
    if isinstance(held, AsyncLock):
        return isinstance(run(client, lock_scripts.inspect(name="n")), lock_scripts.InspectFree)
    return not client.zcard("semaphore:{n}:leases")


def give_back(client: Any, held: Any, lease: Any) -> None:
    """Release at once, while the event loop stands still."""
    owner = lease._holding.owner
    if isinstance(held, AsyncLock):
        released: Any = run(client, lock_scripts.release(name="n", owner=owner, grace=10_000))
        assert released == lock_scripts.ReleaseReleased()
    else:
        released = run(client, semaphore_scripts.release(name="n", owner=owner, grace=10_000))
        assert released == semaphore_scripts.ReleaseReleased(0)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and see it end so."""
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


def test_a_waiter_that_is_cancelled_is_out_of_the_queue(
    stage: Stage, client: Any, make: Any
) -> None:
    async def scene() -> None:
        first = await make().acquire()
        quitter = asyncio.get_running_loop().create_task(make().acquire())
        await stage.queued(client, 1)
        patient = asyncio.get_running_loop().create_task(make().acquire())
        await stage.queued(client, 2)

        await cancelled(quitter)
        await stage.queued(client, 1)
        await first.release()
        second = await patient

        assert second.is_held
        await second.release()

    stage.surface.wait(scene())
    assert free(client, make())


def test_a_waiter_that_is_cancelled_as_it_is_woken_hands_its_turn_on(
    stage: Stage, client: Any, make: Any
) -> None:
    """Its turn is on the way to it: were it lost, the next would wait for the whole grace."""

    async def scene() -> None:
        first = await make().acquire()
        quitter = asyncio.get_running_loop().create_task(make().acquire())
        await stage.queued(client, 1)
        patient = asyncio.get_running_loop().create_task(make().acquire())
        await stage.queued(client, 2)

        give_back(client, make(), first)
        await cancelled(quitter)
        second = await patient

        assert second.is_held
        await second.release()

    stage.surface.wait(scene())
    assert free(client, make())


def test_an_acquisition_is_cancelled_whole_at_whatever_moment(
    stage: Stage, client: Any, make: Any
) -> None:
    ended: list[bool] = []

    async def scene(turns: int) -> None:
        held = make()
        task = asyncio.get_running_loop().create_task(held.acquire())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        ended.append(task.cancelled())
        if not task.cancelled():
            await task.result().release()

    for turns in TURNS:
        stage.surface.wait(scene(turns))
        assert free(client, make()), f"after {turns} turns"
        if not ended[-1]:
            break
    assert ended[1]
    assert not ended[-1]


def test_a_release_is_done_although_it_is_cancelled_at_whatever_moment(
    stage: Stage, client: Any, make: Any
) -> None:
    ended: list[bool] = []

    async def scene(turns: int) -> None:
        lease = await make().acquire()
        task = asyncio.get_running_loop().create_task(lease.release())
        await asyncio.sleep(0)  # a task that never began has released nothing
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        ended.append(task.cancelled())

    for turns in TURNS:
        stage.surface.wait(scene(turns))
        assert free(client, make()), f"after {turns} turns"
        if not ended[-1]:
            break
    assert ended[0]
    assert not ended[-1]


def test_a_block_that_is_cancelled_gives_back(stage: Stage, client: Any, make: Any) -> None:
    async def scene() -> None:
        held = make()

        async def body() -> None:
            async with held:
                await asyncio.sleep(60)

        task = asyncio.get_running_loop().create_task(body())
        for _ in range(6_000):
            if not free(client, held):
                break
            await asyncio.sleep(0.005)
        await cancelled(task)

    stage.surface.wait(scene())
    assert free(client, make())


def test_a_timeout_around_an_acquisition_leaves_nothing_behind(
    stage: Stage, client: Any, make: Any
) -> None:
    async def scene() -> None:
        first = await make().acquire()
        waits: list[Awaitable[Any]] = [
            asyncio.wait_for(make().acquire(), 0.05 + 0.001 * number) for number in range(10)
        ]

        found = await asyncio.gather(*waits, return_exceptions=True)

        assert {type(one) for one in found} == {TimeoutError}
        await stage.queued(client, 0)
        await first.release()

    stage.surface.wait(scene())
    assert free(client, make())
