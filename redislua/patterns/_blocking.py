"""The driver of plans in threads."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from redislua.patterns._background import Job, begin_later
from redislua.patterns._connections import Connector
from redislua.patterns._ears import Ears, ThreadEar
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
    Stopped,
    Subscribe,
    Unsubscribe,
)
from redislua.patterns._pops import FAILURES, Queues
from redislua.runtime import DEFAULT_DEADLINE, BlockingClient, blocking, run_many
from redislua.runtime.plan import ends
from redislua.runtime.pools import pools
from redislua.runtime.route import refreshed
from redislua.runtime.steps import Address, NotSent

__all__ = ["Driver"]

T = TypeVar("T")

BREATH = (0.05, 0.15)
"""Seconds, at random between these, that a wait takes which cannot be had."""


class Driver:
    """Runs plans with a blocking client. Threads may share it."""

    def __init__(
        self, client: BlockingClient, *, deadline: timedelta | float = DEFAULT_DEADLINE
    ) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            deadline: How long each call may take, a timedelta or seconds.
        """
        ends("Driver", deadline)
        self._client = client
        self._deadline = deadline
        self._pool = pools.of(client)
        self._connector = Connector(client, self._pool.topology, asyncio=False)
        self._ears = Ears(self._connector)
        self._queues = Queues.of(client, self._connector)
        self._shared: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()
        self._ways: dict[type[Step], Callable[[Any, Job | None], Any]] = {
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

    def run(self, plan: Plan[T], job: Job | None = None) -> T:
        """Take a plan to its end.

        Args:
            plan: The plan.
            job: The background job that it is, if it is one.
        """
        ways = self._ways
        try:
            step = next(plan)
            while True:
                try:
                    result = ways[type(step)](step, job)
                except BaseException as error:  # whatever it is, the plan may have to clean up
                    step = plan.throw(error)
                else:
                    step = plan.send(result)
        except StopIteration as done:
            value: T = done.value
            return value

    def _until(self, seconds: float | None) -> timedelta | float:
        return self._deadline if seconds is None else max(seconds, 0.001)

    def _ask(self, step: Ask, _job: Job | None) -> Any:
        until = ends(step.call.script.name, self._until(step.seconds))
        return blocking.called(self._pool, step.call, until)

    def _ask_many(self, step: AskMany, _job: Job | None) -> Any:
        deadline = self._until(step.seconds)
        return run_many(self._client, *step.calls, return_exceptions=True, deadline=deadline)

    def _sleep(self, step: Sleep, job: Job | None) -> None:
        if job is None:
            time.sleep(max(step.seconds, 0.0))
        elif job.stopping.wait(max(step.seconds, 0.0)):
            raise Stopped

    def _do(self, step: Do, _job: Job | None) -> Any:
        return step.function()

    def _pop(self, step: Pop, job: Job | None) -> bytes | None:
        try:
            address = self._address(step.key, step.seconds)
            return self._queues.popped(step, address, job.stopping if job else None)
        except FAILURES + self._connector.failures:
            self._connector.doubt()
            self._sleep(Sleep(min(step.seconds, random.uniform(*BREATH))), job)  # noqa: S311
            return None

    def _subscribe(self, step: Subscribe, _job: Job | None) -> ThreadEar | None:
        try:
            address = self._address(step.channel, step.seconds)
        except self._connector.failures:
            return None
        return self._ears.subscribe(step.channel, address, step.seconds)

    def _hear(self, step: Hear, _job: Job | None) -> bool:
        heard: bool = step.ear.wait(max(step.seconds, 0.0))
        return heard

    def _unsubscribe(self, step: Unsubscribe, _job: Job | None) -> None:
        self._ears.unsubscribe(step.ear)

    def _spawn(self, step: Spawn, _job: Job | None) -> Job:
        job = Job(lambda own: self._run_stoppable(step.plan, own))
        begin_later(job, step.after)
        return job

    def _run_stoppable(self, plan: Plan[Any], job: Job) -> None:
        try:
            self.run(plan, job)
        except Stopped:
            return

    def _stop(self, step: Stop, _job: Job | None) -> None:
        step.background.stop()

    def _share(self, step: Share, job: Job | None) -> Any:
        while True:
            with self._lock:
                others = self._shared.get(step.key)
                if others is None:
                    own: Future[Any] = Future()
                    self._shared[step.key] = own
                    break
            try:
                return others.result()
            except _LeftAlone:
                continue
        try:
            result = self.run(step.plan(), job)
        except BaseException as error:
            # Who was interrupted speaks for itself alone: another caller runs the plan.
            failure = error if isinstance(error, Exception) else _LeftAlone()
            self._land(step.key).set_exception(failure)
            raise
        self._land(step.key).set_result(result)
        return result

    def _land(self, key: Hashable) -> Future[Any]:
        with self._lock:
            return self._shared.pop(key)

    def _address(self, name: bytes, seconds: float) -> Address | None:
        topology = self._pool.topology
        if topology is not None and topology.must_be_asked():
            until = time.monotonic() + max(seconds, 0.05)
            try:
                blocking.drive(self._pool, refreshed(topology, until, time.monotonic), until)
            except NotSent as failure:
                raise ConnectionError("no node says who serves what") from failure
        return self._connector.address(name)


class _LeftAlone(Exception):
    """Whoever ran a shared plan was interrupted."""
