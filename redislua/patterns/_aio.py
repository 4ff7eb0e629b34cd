"""The driver of plans in asyncio."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import time
from collections.abc import Callable, Coroutine, Hashable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from redislua.patterns._async_ears import AsyncEars, TaskEar
from redislua.patterns._blocking import BREATH
from redislua.patterns._connections import Connector
from redislua.patterns._plan import (
    Ask,
    AskMany,
    Do,
    Hear,
    Plan,
    Pop,
    Share,
    Sleep,
    Spawn,
    Step,
    Stop,
    Subscribe,
    Unsubscribe,
)
from redislua.patterns._pops import FAILURES, AsyncQueues
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, aio, arun_many, clients
from redislua.runtime.plan import ends
from redislua.runtime.pools import async_pools
from redislua.runtime.route import refreshed
from redislua.runtime.steps import Address, NotSent

__all__ = ["AsyncDriver"]

_log = logging.getLogger("redislua")

T = TypeVar("T")


class AsyncDriver:
    """Runs plans with an asyncio client, in the event loop in which it is first used."""

    def __init__(
        self, client: AsyncClient, *, deadline: timedelta | float = DEFAULT_DEADLINE
    ) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            deadline: How long each call may take, a timedelta or seconds.
        """
        ends("AsyncDriver", deadline)
        clients.check(client, asyncio=True)
        self._client = client
        self._deadline = deadline
        self._waits: tuple[Connector, AsyncEars] | None = None
        self._shared: dict[Hashable, _Shared] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ways: dict[type[Step], Callable[[Any], Coroutine[Any, Any, Any]]] = {
            Ask: self._ask,
            AskMany: self._ask_many,
            Sleep: self._sleep,
            Do: self._do,
            Pop: self._pop,
            Subscribe: self._subscribe,
            Hear: self._hear,
            Unsubscribe: self._unsubscribe,
            Spawn: self._spawn,
            Stop: self._stop,
            Share: self._share,
        }

    async def run(self, plan: Plan[T]) -> T:
        """Take a plan to its end.

        Whoever is cancelled meanwhile waits for the plan to clean up; if it is cancelled
        once more, that goes on without it.
        """
        try:
            return await self._go(plan, next(plan))
        except StopIteration as done:
            value: T = done.value
            return value

    async def _go(self, plan: Plan[T], step: Step) -> T:
        ways = self._ways
        try:
            while True:
                try:
                    result = await ways[type(step)](step)
                except asyncio.CancelledError as error:
                    return await asyncio.shield(self._keep(self._clean(plan, error)))
                except BaseException as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(result)
        except StopIteration as done:
            value: T = done.value
            return value

    async def _clean(self, plan: Plan[T], error: asyncio.CancelledError) -> T:
        try:
            step = plan.throw(error)
        except StopIteration as done:
            value: T = done.value
            return value
        return await self._go(plan, step)

    def _keep(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that nobody need hold."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _until(self, seconds: float | None) -> timedelta | float:
        return self._deadline if seconds is None else max(seconds, 0.001)

    async def _ask(self, step: Ask) -> Any:
        until = ends(step.call.script.name, self._until(step.seconds))
        return await aio.called(async_pools.of(self._client), step.call, until)

    async def _ask_many(self, step: AskMany) -> Any:
        deadline = self._until(step.seconds)
        return await arun_many(self._client, *step.calls, return_exceptions=True, deadline=deadline)

    async def _sleep(self, step: Sleep) -> None:
        await asyncio.sleep(max(step.seconds, 0.0))

    async def _do(self, step: Do) -> Any:
        result = step.function()
        return await result if inspect.isawaitable(result) else result

    async def _pop(self, step: Pop) -> bytes | None:
        connector, _ = self._waiting()
        try:
            address = await self._address(connector, step.key, step.seconds)
            queues = AsyncQueues.of(self._client, connector)
            return await queues.popped(step, address, self._keep)
        except FAILURES + connector.failures:
            connector.doubt()
            await asyncio.sleep(min(step.seconds, random.uniform(*BREATH)))  # noqa: S311
            return None

    async def _subscribe(self, step: Subscribe) -> TaskEar | None:
        connector, ears = self._waiting()
        try:
            address = await self._address(connector, step.channel, step.seconds)
        except connector.failures:
            return None
        return await ears.subscribe(step.channel, address, step.seconds)

    async def _hear(self, step: Hear) -> bool:
        heard: bool = await step.ear.wait(max(step.seconds, 0.0))
        return heard

    async def _unsubscribe(self, step: Unsubscribe) -> None:
        await self._waiting()[1].unsubscribe(step.ear)

    async def _spawn(self, step: Spawn) -> _Beside:
        beside = _Beside(lambda: self._keep(self._logged(step.plan)))
        beside.begin_after(step.after)
        return beside

    async def _logged(self, plan: Plan[Any]) -> None:
        try:
            await self.run(plan)
        except Exception:
            _log.exception("a background task failed")

    async def _stop(self, step: Stop) -> None:
        await step.background.stop()

    async def _share(self, step: Share) -> Any:
        shared = self._shared.get(step.key)
        if shared is None:
            shared = self._shared[step.key] = _Shared(self._keep(self.run(step.plan())))
            shared.task.add_done_callback(partial(self._landed, step.key))
        return await shared.result()

    def _landed(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._shared[key]
        if not task.cancelled():
            task.exception()  # told to those who still wait, and lost on nobody

    def _waiting(self) -> tuple[Connector, AsyncEars]:
        if self._waits is None:
            pool = async_pools.of(self._client)
            connector = Connector(self._client, pool.topology, asyncio=True)
            self._waits = (connector, AsyncEars(connector))
        return self._waits

    async def _address(self, connector: Connector, name: bytes, seconds: float) -> Address | None:
        topology = connector.topology
        if topology is not None and topology.must_be_asked():
            until = time.monotonic() + max(seconds, 0.05)
            plan = refreshed(topology, until, time.monotonic)
            try:
                await aio.drive(async_pools.of(self._client), plan, until)
            except NotSent as failure:
                raise ConnectionError("no node says who serves what") from failure
        return connector.address(name)


class _Beside:
    """A plan that runs beside the one that spawned it, in a task from when it is due."""

    __slots__ = ("_make", "_task", "_timer")

    def __init__(self, make: Callable[[], asyncio.Task[None]]) -> None:
        self._make = make
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin_after(self, seconds: float) -> None:
        if seconds > 0:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self._task = self._make()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        task = self._task
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait((task,))


class _Shared:
    """A plan that several callers wait for; cancelled when the last of them is."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self._waiting = 0

    async def result(self) -> Any:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self.task.done():
                self.task.cancel()
