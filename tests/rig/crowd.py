"""Many callers at once: the same workers as threads and as asyncio tasks.

A worker is a generator. It yields an `Attempt` and is sent the outcomes, one for each of
its calls: the reply, a `CallError`, or `CancelledError` for a task that was cancelled. Any
other exception ends the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import redis

from redislua.errors import CallError, OutcomeUnknown
from redislua.runtime import Call, arun, arun_many, run, run_many

PATIENT = 30.0
"""Seconds of a deadline that no test should meet."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a worker wants done.

    Attributes:
        calls: One call alone, or several as a batch.
        atomic: The batch is a transaction.
        deadline: Seconds.
        cancel_after: Seconds after which a task is cancelled; threads cannot be.
    """

    calls: tuple[Call[Any], ...]
    atomic: bool = False
    deadline: float = PATIENT
    cancel_after: float | None = None

    @property
    def is_batch(self) -> bool:
        """Several calls, each with an outcome of its own."""
        return len(self.calls) > 1 and not self.atomic


Worker: TypeAlias = Generator[Attempt, Sequence[Any], None]
Perform: TypeAlias = Callable[[Any, Attempt], Sequence[Any]]


def perform(client: Any, attempt: Attempt) -> Sequence[Any]:
    """Make an attempt with ``run`` or ``run_many``."""
    calls, deadline = attempt.calls, attempt.deadline
    if attempt.is_batch:
        return run_many(client, *calls, return_exceptions=True, deadline=deadline)
    try:
        if attempt.atomic:
            return run_many(client, *calls, atomic=True, deadline=deadline)
        return [run(client, calls[0], deadline=deadline)]
    except CallError as error:
        return [error] * len(calls)


async def aperform(client: Any, attempt: Attempt) -> Sequence[Any]:
    """Make an attempt with ``arun`` or ``arun_many``, in a task of its own if it is cancelled."""
    if attempt.cancel_after is None:
        return await _attempted(client, attempt)
    task = asyncio.ensure_future(_attempted(client, attempt))
    timer = asyncio.get_running_loop().call_later(attempt.cancel_after, task.cancel)
    await asyncio.wait([task])
    timer.cancel()
    if task.cancelled():
        return [asyncio.CancelledError()] * len(attempt.calls)
    return task.result()


async def _attempted(client: Any, attempt: Attempt) -> Sequence[Any]:
    calls, deadline = attempt.calls, attempt.deadline
    if attempt.is_batch:
        return await arun_many(client, *calls, return_exceptions=True, deadline=deadline)
    try:
        if attempt.atomic:
            return await arun_many(client, *calls, atomic=True, deadline=deadline)
        return [await arun(client, calls[0], deadline=deadline)]
    except CallError as error:
        return [error] * len(calls)


def raw(client: redis.Redis, attempt: Attempt) -> Sequence[Any]:
    """Make an attempt as redis-py does by itself, with whatever retries the client has."""
    try:
        if len(attempt.calls) == 1 and not attempt.atomic:
            return [_evalsha(client, attempt.calls[0])]
        with client.pipeline(transaction=True) as pipe:
            for call in attempt.calls:
                pipe.script_load(call.script.source)
                pipe.evalsha(call.script.sha1, len(call.keys), *call.keys, *call.args)
            replies = pipe.execute()[1::2]
        return [call.decode(reply) for call, reply in zip(attempt.calls, replies, strict=True)]
    except (redis.ConnectionError, redis.TimeoutError) as error:
        lost = OutcomeUnknown(str(error), script=str(attempt.calls[0].script))
        return [lost] * len(attempt.calls)


def _evalsha(client: redis.Redis, call: Call[Any]) -> Any:
    while True:
        try:
            reply = client.evalsha(call.script.sha1, len(call.keys), *call.keys, *call.args)
        except redis.exceptions.NoScriptError:
            client.script_load(call.script.source)
        else:
            return call.decode(reply)


def in_threads(client: Any, workers: Iterable[Worker], how: Perform = perform) -> None:
    """Run each worker to its end in a thread of its own; raise what one of them raised."""
    gangs = list(workers)
    with ThreadPoolExecutor(len(gangs)) as threads:
        for done in [threads.submit(_drive, client, worker, how) for worker in gangs]:
            done.result()


def _drive(client: Any, worker: Worker, how: Perform) -> None:
    with contextlib.suppress(StopIteration):
        attempt = next(worker)
        while True:
            attempt = worker.send(how(client, attempt))


async def in_tasks(client: Any, workers: Iterable[Worker]) -> None:
    """Run each worker to its end in a task of its own; raise what one of them raised."""
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(_adrive(client, worker))


async def _adrive(client: Any, worker: Worker) -> None:
    with contextlib.suppress(StopIteration):
        attempt = next(worker)
        while True:
            attempt = worker.send(await aperform(client, attempt))


@contextlib.contextmanager
def flushing(client: redis.Redis, *, most: float = 0, seed: int = 0) -> Iterator[None]:
    """Flush the server's scripts all the while.

    Args:
        client: Its own connection to the server, past any proxy.
        most: Longest pause between two flushes, in seconds; 0 flushes in a loop.
        seed: Of the pauses.
    """
    chance = random.Random(seed)
    stop = threading.Event()

    def flush() -> None:
        while not stop.wait(chance.uniform(0, most)):
            client.script_flush()

    with ThreadPoolExecutor(1) as threads:
        flusher = threads.submit(flush)
        try:
            yield
        finally:
            stop.set()
            flusher.result()
